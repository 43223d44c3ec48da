// Recognizes post files by path, and derives their slugs.

const POST = /^blog\/(?:([^/]+)\.mdx?|([^/]+)\/index\.mdx?)$/;
const PAGE = /^pages\/(?:([^/]+)\.mdx?|([^/]+)\/index\.mdx?)$/;
const SLUG = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

/** The format of a slug, for error messages. */
export const SLUG_RULE =
  "lowercase letters and digits, joined by single hyphens, dots or underscores, at most 100";

export type PostKind = "post" | "page";

/**
 * Returns the slug and kind of the file at `path` below the content root: `blog/x.mdx` or
 * `blog/x/index.mdx`, the same below `pages/`, or with `.md`. Null for any other file.
 */
export function postPath(path: string): { slug: string; kind: PostKind } | null {
  const post = POST.exec(path);
  if (post) return { slug: (post[1] ?? post[2])!, kind: "post" };
  const page = PAGE.exec(path);
  if (page) return { slug: (page[1] ?? page[2])!, kind: "page" };
  return null;
}

/**
 * Returns a slug for any path of another blog: without a blog folder, extension or trailing
 * `/index`.
 */
export function looseSlug(path: string): string {
  return path
    .replace(/^(?:.*\/)?blog\//, "")
    .replace(/\.mdx?$/, "")
    .replace(/(?<=.)\/index$/, "");
}

/** Returns whether `value` follows SLUG_RULE. */
export function isSlug(value: string): boolean {
  return value.length <= 100 && SLUG.test(value);
}
