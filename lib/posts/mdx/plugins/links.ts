// Resolves links between posts and to files next to the post, marks external links, and removes links
// nested in links.

import { posix } from "node:path";
import { decodeAddress } from "#lib/posts/addresses/redirect-rules.ts";
import { encodePath, slugRoute } from "#lib/posts/addresses/post-address.ts";
import type { CompileContext } from "#lib/posts/mdx/compile-context.ts";
import {
  type Element,
  type Node,
  type Root,
  classesOf,
  isElement,
  replaceNodes,
} from "#lib/posts/mdx/mdx-tree.ts";
import { bundleFolder, postPath } from "#lib/posts/source/post-path.ts";

/**
 * Adds rel="noopener" to external links, unwraps nested links, and replaces the path of a post's
 * file by its address. Records links within the site, and the ids that links can name.
 */
export function normalizeLinks(tree: Root, context: CompileContext): void {
  const unwrap = (nodes: Node[]): Node[] =>
    nodes.flatMap((node) => {
      if (isElement(node, "a")) {
        context.warn(node, "a link inside a link was removed");
        return unwrap(node.children);
      }
      if ("children" in node) node.children = unwrap(node.children);
      return [node];
    });
  replaceNodes(tree, (node) => {
    if (isElement(node) && typeof node.properties.id === "string")
      context.ids.add(node.properties.id);
    if (!isElement(node, "a")) return undefined;
    node.children = unwrap(node.children);
    const href = String(node.properties.href ?? "");
    if (/^(https?:)?\/\//i.test(href)) addNoopener(node);
    else if (href !== "" && !/^[a-z][a-z0-9+.-]*:/i.test(href)) resolveLink(node, href, context);
    return undefined;
  });
}

function addNoopener(node: Element): void {
  const rel = String(node.properties.rel ?? "")
    .split(/\s+/)
    .filter(Boolean);
  node.properties.rel = [...new Set([...rel, "noopener"])].join(" ");
}

function resolveLink(node: Element, href: string, context: CompileContext): void {
  const [, path = "", end = ""] = /^([^?#]*)(.*)$/s.exec(href)!;
  const isOfHeading = classesOf(node).some((name) => /^heading-(link|anchor)$/.test(name));
  if (isOfHeading) return;
  const resolved = path === "" ? "" : resolvePath(path, context);
  if (resolved === null) {
    context.warn(node, `the link ${href} points to a file that is not part of this site`);
    return;
  }
  if (resolved !== path) node.properties.href = resolved + end;
  if (!resolved.startsWith("/content-file/") && !resolved.startsWith("/_img/"))
    context.links.push({
      url: resolved + end.replace(/^\?[^#]*/, ""),
      line: (node.position?.start.line ?? 1) + context.input.bodyLine - 1,
    });
}

/**
 * Returns the URL of a path as written: of the post whose file it names, of a file next to the post,
 * or of a page. Null if the file is missing.
 */
function resolvePath(
  path: string,
  { input: { file, images = {} } }: CompileContext,
): string | null {
  const decoded = decodeAddress(path) ?? path;
  if (decoded.startsWith("/")) {
    const post = /\.mdx?$/i.test(decoded) ? postPath(decoded.slice(1)) : null;
    return post ? addressOf(post) : path;
  }
  const name = decoded.startsWith(".") ? decoded : `./${decoded}`;
  for (const key of [name, posix.normalize(name), `./${posix.normalize(name)}`])
    // Null: the file is too large to be served, or broken.
    if (Object.hasOwn(images, key)) return images[key]?.src ?? null;
  // Not a version such as v1.0, which may be a slug.
  if (/\.[a-z][a-z0-9]{1,4}$/i.test(decoded) && !/\.mdx?$/i.test(decoded)) return null;
  const bundle = bundleFolder(file);
  let target = posix.join(posix.dirname(file), decoded);
  // Some blogs write links relative to the page's address, as siblings of other posts. The folder of
  // an index file contains no other post.
  if (bundle !== null && target.startsWith(`${bundle}/`) && !/\/index(?:\.mdx?)?$/i.test(target))
    target = posix.join(bundle, "..", decoded);
  const post = postPath(target) ?? postPath(`${target}.mdx`);
  if (post) return addressOf(post);
  return `/${target.replace(/^(\.\.\/)+/, "")}`;
}

function addressOf({ slug, kind }: NonNullable<ReturnType<typeof postPath>>): string {
  return kind === "post" ? encodePath(slugRoute(slug)) : `/${encodeURIComponent(slug)}`;
}
