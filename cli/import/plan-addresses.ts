// Decides where each imported post goes, and how links between the posts change.

import { isSlug } from "#lib/core/slug.ts";
import { labelRoute } from "#lib/http/route-labels.ts";
import { decodeIfEncoded } from "./asset-url.ts";
import type { ExportedPost, ExportedSite } from "./exported-site.ts";
import type { ImportManifest } from "./import-manifest.ts";

export interface PostAddress {
  readonly post: ExportedPost;
  /** Below the content folder: "blog/hello". */
  readonly folder: string;
  readonly file: string;
  /** "/blog/hello", or "/about" for a page. */
  readonly path: string;
}

/** Returns the address of every post: its own slug where possible, as in the last import. */
export function planAddresses(site: ExportedSite, manifest: ImportManifest): PostAddress[] {
  const earlierFolders = new Map<ExportedPost, string>();
  const taken = new Set<string>();
  // First, since a new post may have the old slug of a post that was renamed.
  for (const post of site.posts) {
    const earlier = manifest.findPath(post.id)?.split("/").slice(0, 2).join("/");
    if (!earlier?.startsWith(`${rootOf(post)}/`) || taken.has(earlier)) continue;
    earlierFolders.set(post, earlier);
    taken.add(earlier);
  }
  return site.posts.map((post) => {
    const folder = earlierFolders.get(post) ?? findFreeFolder(post, taken);
    taken.add(folder);
    return { post, folder, file: `${folder}/index.mdx`, path: pathOf(post, folder) };
  });
}

const rootOf = ({ kind }: ExportedPost) => (kind === "page" ? "pages" : "blog");

function findFreeFolder(post: ExportedPost, taken: ReadonlySet<string>): string {
  const wanted = `${rootOf(post)}/${toSlug(post.slug) || toSlug(post.title) || toSlug(post.id)}`;
  let folder = wanted;
  for (let count = 2; taken.has(folder) || isOwnPage(pathOf(post, folder)); count++)
    folder = `${wanted}-${count}`;
  return folder;
}

/**
 * Returns whether the path has a built-in page, which content/pages can't replace. A path with a
 * query doesn't count, because a redirect rule can match it.
 */
export const isOwnPage = (path: string): boolean =>
  !path.includes("?") && !["other", "post", "text"].includes(labelRoute(path).kind);

const pathOf = ({ kind }: ExportedPost, folder: string) =>
  kind === "page" ? folder.slice("pages".length) : `/${folder}`;

/** Returns a slug that this site accepts, or "". */
export function toSlug(text: string): string {
  const clean = (value: string, pattern: RegExp) =>
    value
      .toLowerCase()
      .replace(pattern, "-")
      .replace(/[-._]{2,}/g, "-")
      .slice(0, 90)
      .replace(/^[-._]+|[-._]+$/g, "");
  const slug = clean(text.normalize("NFC").replace(/['’]/g, ""), /[^\p{L}\p{N}\p{M}._-]+/gu);
  if (isSlug(slug)) return slug;
  const ascii = clean(text.normalize("NFKD").replace(/\p{M}/gu, ""), /[^a-z0-9]+/g);
  return isSlug(ascii) ? ascii : "";
}

/**
 * Returns a function that rewrites links to the old site's posts. Other links stay unchanged,
 * except that paths become absolute.
 */
export function createLinkResolver(
  siteUrl: string,
  addresses: readonly PostAddress[],
): (url: string) => string {
  const paths = new Map(
    addresses.flatMap(({ post, path }) =>
      post.oldPaths
        .map(comparablePath)
        .filter((oldPath) => !isOwnPage(oldPath))
        .map((oldPath) => [oldPath, path] as const),
    ),
  );
  const siteHost = URL.canParse(siteUrl) ? comparableHost(new URL(siteUrl)) : null;
  return (url) => {
    if (/^(?:#|mailto:|tel:)/i.test(url)) return url;
    const isPath = url.startsWith("/") && !url.startsWith("//");
    if (!isPath && !/^(?:https?:)?\/\//i.test(url)) return url;
    const base = siteUrl || "http://old-site.invalid";
    if (!URL.canParse(url, base)) return url;
    const target = new URL(url, base);
    if (!isPath && comparableHost(target) !== siteHost) return url;
    const found =
      paths.get(comparablePath(target.pathname + target.search)) ??
      paths.get(comparablePath(target.pathname));
    if (found !== undefined) return found + target.hash;
    return isPath && siteUrl ? target.href : url;
  };
}

const comparableHost = ({ host }: URL) => host.replace(/^www\./, "");

/** Ignores a trailing slash, and how the path is encoded. */
export function comparablePath(path: string): string {
  return decodeIfEncoded(path).replace(/\/(?=$|\?)/, "") || "/";
}
