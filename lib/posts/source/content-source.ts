// Defines a source of content: its versions, the files of each, and their bytes.

import { createHash } from "node:crypto";
import { posix } from "node:path";
import { AppError } from "#lib/core/errors.ts";
import { bundleFolder, findFolder, postPath } from "./post-path.ts";

export interface ContentFile {
  /** The path below the content root, with forward slashes: 'blog/x/index.mdx'. */
  readonly path: string;
  /**
   * Git's blob SHA in hex, the same on disk and on a Git host: SHA-1 of "blob LENGTH\0" and the
   * bytes.
   */
  readonly blobSha: string;
  readonly bytes: number;
}

/** A post or a page: 'blog/x.mdx', 'blog/x/index.mdx', or in a folder of posts 'blog/2026/x.mdx'. */
export interface PostFile extends ContentFile {
  readonly slug: string;
  readonly kind: "post" | "page";
  /** SHA-256 in hex of the paths and blob SHAs of the post and every file next to it. */
  readonly hash: string;
  /** The other files in its folder. For a post without its own folder, the loose files next to it. */
  readonly assets: readonly ContentFile[];
}

export interface ContentSource {
  readonly kind: "disk" | "git";
  /** Returns the newest version. Throws AppError(unavailable), with the reason from the host. */
  getHead(): Promise<string>;
  /**
   * Returns every file below blog/ and pages/. Throws AppError: not_found (no such version),
   * unavailable.
   */
  listFiles(version: string): Promise<readonly ContentFile[]>;
  /**
   * Returns the paths of symbolic links in the content. They are not followed: on disk they may
   * point anywhere, and a Git host returns only their target path. Throws like listFiles.
   */
  listLinks(version: string): Promise<readonly string[]>;
  /**
   * Returns the bytes of a listed file. Throws AppError: too_large above MAX_FILE_BYTES,
   * unavailable if the host fails or the file has changed since it was listed.
   */
  readFile(file: ContentFile): Promise<Uint8Array>;
  /**
   * Returns a stream of the bytes from `start` to `end`, both included. Throws like readFile, before
   * the first byte.
   */
  openFile(file: ContentFile, start: number, end: number): Promise<ReadableStream<Uint8Array>>;
  /**
   * Returns when each of `files` of `version` last changed (Unix time in ms), by path, from the Git
   * history. Adding a file is not a change, so files that never changed are omitted, and so are
   * files without history. Throws AppError(unavailable) if the host fails.
   */
  findLastChanges(
    files: readonly ContentFile[],
    version: string,
  ): Promise<ReadonlyMap<string, number>>;
}

/** Redirect rules, at the content root. */
export const REDIRECTS_FILE = "_redirects";

/** The maximum size of a file. Fits original photos and short videos. */
export const MAX_FILE_BYTES = 25 * 1_048_576;

/** Returns why a file above MAX_FILE_BYTES is not served. */
export function describeFileSize({ bytes }: Pick<ContentFile, "bytes">): string {
  return `it is ${formatMegabytes(bytes)} MB; the limit is ${formatMegabytes(MAX_FILE_BYTES)} MB`;
}

/** Throws AppError(too_large) above MAX_FILE_BYTES. */
export function assertFileSize(file: ContentFile): void {
  if (file.bytes > MAX_FILE_BYTES)
    throw new AppError("too_large", `${file.path} is too large: ${describeFileSize(file)}.`);
}

const formatMegabytes = (bytes: number) => Math.ceil((bytes / 1_048_576) * 10) / 10;

/** A larger content tree means that the configured path is wrong. */
export const MAX_FILES = 20_000;

/** Returns Git's blob SHA of `bytes`. */
export function gitBlobSha(bytes: Uint8Array): string {
  return createHash("sha1").update(`blob ${bytes.byteLength}\0`).update(bytes).digest("hex");
}

/** Folders with content. The last two are for code that several posts import. */
const contentRoots = new Set(["blog", "pages", "components", "shared"]);

/**
 * Returns whether a path can belong to content: the redirects file, or below a folder with content,
 * not hidden, no path traversal.
 */
export function isContentPath(path: string): boolean {
  if (path === REDIRECTS_FILE) return true;
  const parts = path.split("/");
  return (
    contentRoots.has(parts[0]!) &&
    parts.length > 1 &&
    parts.every(
      (part) =>
        part !== "" && !part.startsWith(".") && part !== "node_modules" && !/[\\\0]/.test(part),
    )
  );
}

/**
 * Returns the posts and pages among `files`, by path. The folder of an index file has no other
 * posts. Two files with the same slug are both returned.
 */
export function listPostFiles(files: readonly ContentFile[]): PostFile[] {
  const folders = new Map<string, ContentFile[]>();
  const posts: { file: ContentFile; slug: string; kind: "post" | "page"; folder: string }[] = [];
  const bundles = listBundles(files);
  for (const file of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    if (file.path === REDIRECTS_FILE) continue;
    const location = postPath(file.path);
    const bundle = findFolder(file.path, bundles);
    const folder = bundle ?? posix.dirname(file.path);
    if (location && (bundle === null || bundle === bundleFolder(file.path))) {
      posts.push({ file, ...location, folder });
    } else {
      const assets = folders.get(folder);
      if (assets) assets.push(file);
      else folders.set(folder, [file]);
    }
  }
  return posts.map(({ file, slug, kind, folder }) => {
    const assets = folders.get(folder) ?? [];
    const hash = createHash("sha256").update(`${file.path}\0${file.blobSha}\n`);
    for (const { path, blobSha } of assets) hash.update(`${path}\0${blobSha}\n`);
    return { ...file, slug, kind, hash: hash.digest("hex"), assets };
  });
}

/** Returns the folders of index files, without those inside another one. */
export function listBundles(files: readonly Pick<ContentFile, "path">[]): ReadonlySet<string> {
  const folders = new Set(
    files.map(({ path }) => bundleFolder(path)).filter((each) => each !== null),
  );
  return new Set([...folders].filter((folder) => findFolder(folder, folders) === null));
}
