// What every source of content gives: which version it has, which files are in it, and their bytes.

import { createHash } from "node:crypto";
import { postPath } from "./post-path.ts";

export interface ContentFile {
  /** Below the content root, with forward slashes: 'blog/x/index.mdx'. */
  readonly path: string;
  /** Git's name for the bytes: SHA-1 over "blob LENGTH\0" and the bytes, in hex. The same file has the same name on disk and on a host. */
  readonly blob: string;
  readonly bytes: number;
}

/** A file that is a post or a page: 'blog/x.mdx' or 'blog/x/index.mdx'. */
export interface PostFile extends ContentFile {
  readonly slug: string;
  readonly kind: "post" | "page";
  /** SHA-256 in hex over the post's bytes and those of every file beside it. */
  readonly hash: string;
  /** The files beside it: the rest of its folder, or, for a post without a folder, what lies loose in blog/. */
  readonly beside: readonly ContentFile[];
}

export interface ContentSource {
  readonly kind: "disk" | "git";
  /** The newest version there is. Throws AppError(unavailable) with the host's reason. */
  getHead(): Promise<string>;
  /** Every file of a version below blog/ and pages/. Throws AppError: not_found (no such version), unavailable. */
  listFiles(version: string): Promise<readonly ContentFile[]>;
  /**
   * The bytes of a file that files() listed. Throws AppError: unavailable when the host fails or the file on
   * disk is no longer what was listed, too_large above MAX_FILE_BYTES.
   */
  readFile(file: ContentFile): Promise<Uint8Array>;
}

/** No post, picture or film of a post is larger. */
export const MAX_FILE_BYTES = 5 * 1_048_576;
/** A content tree with more files is a mistake in the configured path. */
export const MAX_FILES = 20_000;

/** Git's name of `bytes`. */
export function gitBlobSha(bytes: Uint8Array): string {
  return createHash("sha1").update(`blob ${bytes.byteLength}\0`).update(bytes).digest("hex");
}

/** True for a path that can belong to content: below blog/ or pages/, no hidden part, nothing that leads elsewhere. */
export function isContentPath(path: string): boolean {
  const parts = path.split("/");
  return (
    (parts[0] === "blog" || parts[0] === "pages") &&
    parts.length > 1 &&
    parts.every(
      (part) =>
        part !== "" && !part.startsWith(".") && part !== "node_modules" && !/[\\\0]/.test(part),
    )
  );
}

/**
 * The posts and pages among `files`, by path. Where two files claim one slug, both are returned:
 * whoever shows them says so.
 */
export function listPostFiles(files: readonly ContentFile[]): PostFile[] {
  const folders = new Map<string, ContentFile[]>();
  const posts: { file: ContentFile; slug: string; kind: "post" | "page"; folder: string }[] = [];
  for (const file of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const known = postPath(file.path);
    const [root, name] = file.path.split("/") as [string, string];
    const deep = file.path.split("/").length > 2;
    const folder = deep ? `${root}/${name}` : root;
    if (known) {
      posts.push({ file, ...known, folder });
    } else {
      const beside = folders.get(folder);
      if (beside) beside.push(file);
      else folders.set(folder, [file]);
    }
  }
  return posts.map(({ file, slug, kind, folder }) => {
    const beside = folders.get(folder) ?? [];
    const hash = createHash("sha256").update(`${file.path}\0${file.blob}\n`);
    for (const { path, blob } of beside) hash.update(`${path}\0${blob}\n`);
    return { ...file, slug, kind, hash: hash.digest("hex"), beside };
  });
}
