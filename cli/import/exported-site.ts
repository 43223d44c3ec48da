// Describes what an export contains, the same for every platform.

/** A post or page as exported, before its conversion to MDX. */
export interface ExportedPost {
  /** Identifies the post in every export of the same site: "ghost:605c8c". */
  readonly id: string;
  readonly kind: "post" | "page";
  readonly title: string;
  /** As on the platform; may be empty, or contain characters that a slug must not. */
  readonly slug: string;
  readonly html: string;
  /** ISO 8601 with the offset of the site's time zone, or "" for a draft without one. */
  readonly date: string;
  /** Like `date`; "" if it never changed. */
  readonly updated: string;
  /** Plain text; "" if the post has none. */
  readonly description: string;
  readonly categories: readonly string[];
  readonly keywords: readonly string[];
  /** The URL of the image, or null. */
  readonly banner: { readonly url: string; readonly alt: string; readonly credit: string } | null;
  readonly isDraft: boolean;
  /** Paths at which the old site served the post, such as "/hello/" or "/?p=12". */
  readonly oldPaths: readonly string[];
}

export interface ExportedRedirect {
  readonly from: string;
  /** "p=12": only for requests with this parameter. */
  readonly query?: string;
  readonly to: string;
  readonly status: number;
}

export interface ExportedMember {
  readonly email: string;
  readonly name: string;
  /** ISO 8601, or "" if unknown. */
  readonly createdAt: string;
}

/** Something that needs the owner's attention. */
export interface ImportWarning {
  /** Such as 'the post "Hello"', or the name of a file. */
  readonly subject: string;
  readonly reason: string;
}

export interface ExportedSite {
  readonly platform: "ghost" | "wordpress" | "substack";
  /**
   * The origin of the old site without a trailing slash, or "" if the export doesn't contain it.
   */
  readonly url: string;
  readonly posts: readonly ExportedPost[];
  readonly redirects: readonly ExportedRedirect[];
  readonly members: readonly ExportedMember[];
  readonly warnings: readonly ImportWarning[];
  /** Returns the bytes of a file that the export contains, or null if it has no such file. */
  readonly readAsset: (url: string) => Uint8Array | null;
}

/** Thrown for an export that can't be read. Its message is for the owner. */
export class ExportError extends Error {
  override readonly name = "ExportError";
}
