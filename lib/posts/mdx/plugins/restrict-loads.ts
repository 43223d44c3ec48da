// Limits the hosts from which strict posts load images, audio and video to those of images.hosts, so
// that their authors can't track readers.

import { isAllowedHost } from "#lib/posts/images/external-image.ts";
import type { CompileContext } from "#lib/posts/mdx/compile-context.ts";
import { type Element, isElement, replaceNodes, type Root } from "#lib/posts/mdx/mdx-tree.ts";

/** Attributes whose URL a browser loads without a click, on any element but a link. */
const LOADED = new Set(["src", "srcSet", "poster", "background", "data", "href", "xLinkHref"]);
const BASE = "://this-site.invalid/";

/**
 * Removes attributes of a strict post that load from other hosts. Keeps a trusted post as it is. An
 * `<img>` keeps its src, which becomes a link later.
 */
export function restrictLoads(tree: Root, context: CompileContext): void {
  const { imageHosts, trust } = context.input;
  if (trust !== "strict") return;
  replaceNodes(tree, (node) => {
    if (!isElement(node)) return undefined;
    for (const [name, value] of Object.entries(node.properties)) {
      if (!loadsFromOtherHost(node, name, String(value ?? ""), imageHosts)) continue;
      delete node.properties[name];
      context.warn(
        node,
        `${name} of <${node.tagName}> was removed: its host is not among images.hosts of site.config.ts`,
      );
    }
    return undefined;
  });
}

function loadsFromOtherHost(
  { tagName }: Element,
  name: string,
  value: string,
  hosts: readonly string[],
): boolean {
  // In SVG, any attribute with this function may load a file.
  if (name !== "style" && /url\s*\(/i.test(value)) return !/^\s*url\(#[\w:.-]+\)\s*$/.test(value);
  if (!LOADED.has(name) || tagName === "a" || (tagName === "img" && name === "src")) return false;
  const urls = name === "srcSet" ? value.split(/[\s,]+/) : [value];
  return urls.some((url) => isOnOtherHost(url, hosts));
}

/** Resolves like a browser, whatever the scheme of the site. */
const isOnOtherHost = (url: string, hosts: readonly string[]) =>
  ["http", "https"].some((scheme) => {
    if (!URL.canParse(url, scheme + BASE)) return false;
    const { protocol, hostname } = new URL(url, scheme + BASE);
    return /^https?:$/.test(protocol) && !isAllowedHost(hostname, ["this-site.invalid", ...hosts]);
  });
