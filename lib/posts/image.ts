// Describes an image as pages show it: in posts, in the manifest of the build and above a post.

export interface Image {
  /** URL of the fallback file. */
  readonly src: string;
  /** Natural size in CSS pixels. */
  readonly width: number;
  readonly height: number;
  /** A data: URL of at most 400 bytes, shown until the image has loaded. */
  readonly blur?: string;
  /** Other formats, best first; `srcset` with width descriptors. */
  readonly sources?: readonly { readonly type: string; readonly srcset: string }[];
}

/** Image source as written in the post ("./hero.png", "/images/x.png") → what to show for it. */
export type PostImages = Readonly<Record<string, Image>>;
