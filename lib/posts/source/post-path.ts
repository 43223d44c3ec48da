// Which file is a post, and what its slug is.

const POST = /^blog\/(?:([^/]+)\.mdx?|([^/]+)\/index\.mdx?)$/;
const PAGE = /^pages\/(?:([^/]+)\.mdx?|([^/]+)\/index\.mdx?)$/;
const SLUG = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

/** What a slug may look like, for messages. */
export const SLUG_RULE =
  "lower-case letters and digits, joined by single hyphens, dots or underscores, at most 100";

export type PostKind = "post" | "page";

/**
 * Slug and kind of the file at `path` (below the content root, forward slashes): `blog/x.mdx`, `blog/x/index.mdx`,
 * and the same below `pages/`; `.md` as well. Null for any other file.
 */
export function postPath(path: string): { slug: string; kind: PostKind } | null {
  const post = POST.exec(path);
  if (post) return { slug: (post[1] ?? post[2])!, kind: "post" };
  const page = PAGE.exec(path);
  if (page) return { slug: (page[1] ?? page[2])!, kind: "page" };
  return null;
}

/** A slug for any path: without folders named blog, without the extension or a last `/index`. For blogs that are not ours. */
export function looseSlug(path: string): string {
  return path
    .replace(/^(?:.*\/)?blog\//, "")
    .replace(/\.mdx?$/, "")
    .replace(/(?<=.)\/index$/, "");
}

export function isSlug(value: string): boolean {
  return value.length <= 100 && SLUG.test(value);
}
