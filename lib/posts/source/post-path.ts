// Recognizes post files by path, and derives their slugs.

const POST_FILE = /^(blog|pages)\/(?:([^/]+)|([^/]+)\/index)\.mdx?$/i;
/** Files that describe the folder, and copies that editors and people leave behind. */
const NOT_A_POST =
  /^(?:readme|license|licence|contributing|changelog)\.mdx?$|(?:~|\.bak|\.orig|[ _-]copy(?: ?\d+)?| \(\d+\))(?:\.mdx?)?$/i;
/** Letters and digits of any script. Joiners (U+200C, U+200D) are part of words in some. */
const SLUG = /^[\p{L}\p{N}](?:(?:[\p{L}\p{M}\p{N}._-]|\u200c|\u200d)*[\p{L}\p{M}\p{N}])?$/u;

/** The format of a slug, for error messages. */
export const SLUG_RULE =
  "letters and digits, with hyphens, dots or underscores between them, at most 100";

export type PostKind = "post" | "page";

/**
 * Returns the slug (in NFC) and kind of the file at `path` below the content root: `blog/x.mdx` or
 * `blog/x/index.mdx`, the same below `pages/`, or with `.md`. Null for any other file.
 */
export function postPath(path: string): { slug: string; kind: PostKind } | null {
  const match = POST_FILE.exec(path);
  if (!match || isIgnoredPath(path)) return null;
  const slug = (match[2] ?? match[3])!.normalize("NFC");
  return { slug, kind: match[1] === "blog" ? "post" : "page" };
}

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
    .replace(/(?<=.)\/index$/, "")
    .normalize("NFC");
}

/** Returns whether `value` follows SLUG_RULE. */
export function isSlug(value: string): boolean {
  return value.length <= 100 && SLUG.test(value);
}
