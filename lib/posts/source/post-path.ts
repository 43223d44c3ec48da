// Recognizes post files by path, and derives their slugs.

import { posix } from "node:path";

const POST_FILE = /^(?:blog\/(.+)|pages\/([^/]+|[^/]+\/index))\.mdx?$/i;
/** Files that describe the folder, and copies that editors and people leave behind. */
const NOT_A_POST =
  /^(?:readme|license|licence|contributing|changelog)\.(?:mdx?|markdown)$|(?:~|\.bak|\.orig|[ _-]copy(?: ?\d+)?| \(\d+\))(?:\.mdx?)?$/i;

export type PostKind = "post" | "page";

/**
 * Returns the slug (in NFC) and kind of the file at `path` below the content root: `blog/x.mdx` or
 * `blog/x/index.mdx`, the same below `pages/` or in a folder of posts (`blog/2026/x.mdx`, slug
 * "2026/x"), or with `.md`. Null for any other file.
 */
export function postPath(path: string): { slug: string; kind: PostKind } | null {
  const [, post, page] = POST_FILE.exec(path) ?? [];
  const name = post ?? page;
  if (name === undefined || isIgnoredPath(path)) return null;
  const slug = name.replace(INDEX, "").normalize("NFC");
  return { slug, kind: post === undefined ? "page" : "post" };
}

const INDEX = /(?<=.)\/index$/i;

/** Returns the folder of a post that is an index file, which holds no other post; else null. */
export function bundleFolder(path: string): string | null {
  return postPath(path) && /\/index\.mdx?$/i.test(path) && path.split("/").length > 2
    ? posix.dirname(path)
    : null;
}

/** Returns the nearest folder above `path` that is in `folders`, or null. */
export function findFolder(path: string, folders: ReadonlySet<string>): string | null {
  for (let folder = posix.dirname(path); folder !== "."; folder = posix.dirname(folder))
    if (folders.has(folder)) return folder;
  return null;
}

/** Returns why a Markdown file is not a post. `bundles` are the folders of index files. */
export function describeNonPost(path: string, bundles: ReadonlySet<string>): string {
  const bundle = findFolder(path, bundles);
  return bundle === null
    ? `it is not a path for a post: ${POST_PATHS}`
    : `it is not a post, because ${bundle} belongs to its index file: move it, or remove the index file`;
}

/** The paths of posts and pages, for error messages. */
export const POST_PATHS =
  "blog/SLUG.mdx or blog/SLUG/index.mdx, each also in a subfolder of blog, or pages/SLUG.mdx";

/**
 * Returns whether a file is not meant for readers: it or one of its folders starts with a dot or an
 * underscore, or it is a README, a backup or a copy.
 */
export function isIgnoredPath(path: string): boolean {
  const parts = path.split("/");
  return parts.some((part) => /^[._]/.test(part)) || NOT_A_POST.test(parts.at(-1)!);
}

/**
 * Returns a slug for any path of another blog: without a blog folder, extension or trailing
 * `/index`.
 */
export function looseSlug(path: string): string {
  return path
    .replace(/^(?:.*\/)?blog\//, "")
    .replace(/\.mdx?$/i, "")
    .replace(INDEX, "")
    .normalize("NFC");
}
