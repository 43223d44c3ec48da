// Renders a post for feeds: HTML with absolute URLs, without styles, scripts and controls.

import type { ElementContent, Properties, RootContent } from "hast";
import { toHtml } from "hast-util-to-html";
import { log } from "#lib/core/log.ts";
import type { Post } from "#lib/posts/post.ts";
import { absoluteUrl, postUrl, getSiteMetadata } from "#lib/posts/site-metadata.ts";
import { postToHast } from "./post-to-hast.ts";

/** Properties that are meaningful outside the site, by their hast names. */
const PORTABLE_PROPERTIES = new Set(
  "href src poster alt title width height colSpan rowSpan lang dir controls open start reversed dateTime cite".split(
    " ",
  ),
);
const URL_PROPERTIES = new Set(["href", "src", "poster", "cite"]);
/** Elements removed with their content. */
const REMOVED_ELEMENTS = new Set("script style button template noscript iframe svg".split(" "));
/** Elements that only carry a class. Their content stays. */
const UNWRAPPED_ELEMENTS = new Set("span div picture".split(" "));

const feedHtmlCache = new WeakMap<Post, string | null>();

/**
 * Returns the post's HTML for a feed. Returns null if it cannot be rendered; then the feed uses the
 * description.
 */
export function renderFeedHtml(post: Post): string | null {
  if (post.compiled.compiledSource === "") return null; // not compiled yet
  let html = feedHtmlCache.get(post);
  if (html === undefined) {
    const { compiledSource, components } = post.compiled;
    const url = postUrl(getSiteMetadata(), post);
    try {
      html = toPortableHtml(postToHast(compiledSource, components, url), url);
    } catch (error) {
      log("warn", "posts.feed_html_failed", { slug: post.slug, error });
      html = null;
    }
    feedHtmlCache.set(post, html);
  }
  return html;
}

/**
 * Returns `nodes` as HTML without classes, styles, scripts and controls. Resolves URLs against
 * `base`.
 */
export function toPortableHtml(nodes: readonly RootContent[], base: string): string {
  const children = toPortableNodes(nodes, base);
  const characterReferences = { useNamedReferences: true };
  return toHtml({ type: "root", children }, { characterReferences }).trim();
}

function toPortableNodes(nodes: readonly RootContent[], base: string): ElementContent[] {
  return nodes.flatMap((node): ElementContent[] => {
    if (node.type === "text") return [node];
    if (node.type !== "element" || REMOVED_ELEMENTS.has(node.tagName)) return [];
    if (hasClass(node.properties, "heading-anchor")) return [];
    const children = toPortableNodes(node.children, base);
    if (UNWRAPPED_ELEMENTS.has(node.tagName)) return children;
    const properties = toPortableProperties(node.properties, base);
    // A source without a URL is one of a picture's formats.
    if (node.tagName === "source" && !properties.src) return [];
    return [{ type: "element", tagName: node.tagName, properties, children }];
  });
}

/** Handles `className` as a list (from the HTML parser) and as a string (from JSX). */
function hasClass({ className }: Properties, name: string): boolean {
  return [className ?? []].flat().join(" ").split(" ").includes(name);
}

function toPortableProperties(properties: Properties, base: string): Properties {
  const portable: Properties = {};
  for (const [name, value] of Object.entries(properties)) {
    if (!PORTABLE_PROPERTIES.has(name)) continue;
    portable[name] = URL_PROPERTIES.has(name) ? resolveUrl(String(value), base) : value;
  }
  return portable;
}

/** Returns null for a URL that is neither http(s) nor mailto. */
function resolveUrl(url: string, base: string): string | null {
  return /^mailto:/i.test(url) ? url : absoluteUrl(url, base);
}
