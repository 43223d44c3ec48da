// A post's text as a feed carries it: plain HTML that needs neither our styles nor our scripts, every address absolute.

import { log } from "#lib/core/log.ts";
import type { Post } from "#lib/posts/post.ts";
import { absoluteUrl, postUrl, getSiteMetadata } from "#lib/posts/site-metadata.ts";
import { renderStaticHtml } from "./render-static-html.ts";

/** Attributes that mean something away from the site. */
const PORTABLE_ATTRIBUTES = new Set(
  "href src poster alt title width height colspan rowspan lang dir controls open start reversed datetime cite".split(
    " ",
  ),
);
const URL_ATTRIBUTES = new Set(["href", "src", "poster", "cite"]);
/** Elements that go with all that is in them. */
const REMOVED_ELEMENTS = new Set("script style button template noscript iframe svg".split(" "));
/** Elements that only carried a class: their content stays. */
const UNWRAPPED_ELEMENTS = new Set("span div picture".split(" "));

const TAG = /<!--[\s\S]*?-->|<(\/?)([a-z][\w-]*)((?:[^>"']|"[^"]*"|'[^']*')*)>/gi;
const ATTRIBUTE = /([a-z][\w:-]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/gi;

const feedHtmlCache = new WeakMap<Post, string | null>();

/** The post's text for a feed, or null (and a line in the log) where it can't be had; the description then stands for it. */
export function renderFeedHtml(post: Post): string | null {
  if (post.compiled.compiledSource === "") return null; // still being compiled
  let html = feedHtmlCache.get(post);
  if (html === undefined) {
    const url = postUrl(getSiteMetadata(), post.slug);
    try {
      html = toPortableHtml(
        renderStaticHtml(post.compiled.compiledSource, post.compiled.components, url),
        url,
      );
    } catch (error) {
      log("warn", "posts.feed_html_failed", { slug: post.slug, error });
      html = null;
    }
    feedHtmlCache.set(post, html);
  }
  return html;
}

/** `html` (written by our own serializer) without classes, styles, scripts and controls, its addresses seen from `base`. */
export function toPortableHtml(html: string, base: string): string {
  let out = "";
  let last = 0;
  let gone: { name: string; depth: number } | null = null;
  for (const match of html.matchAll(TAG)) {
    const [whole, slash, rawName = "", attributes = ""] = match;
    const name = rawName.toLowerCase();
    if (!gone) out += html.slice(last, match.index);
    last = match.index + whole.length;
    if (gone) {
      if (name === gone.name && !whole.endsWith("/>")) gone.depth += slash ? -1 : 1;
      if (gone.depth === 0) gone = null;
    } else if (
      REMOVED_ELEMENTS.has(name) ||
      (name === "a" && /\bclass="[^"]*\bheading-anchor\b/.test(attributes))
    ) {
      if (!slash && !whole.endsWith("/>")) gone = { name, depth: 1 };
    } else if (rawName !== "" && !UNWRAPPED_ELEMENTS.has(name)) {
      const tag = slash ? `</${name}>` : `<${name}${portableAttributes(attributes, base)}>`;
      // A source without an address was one of the picture's formats.
      if (tag !== "<source>") out += tag;
    }
  }
  if (!gone) out += html.slice(last);
  return out.trim();
}

function portableAttributes(text: string, base: string): string {
  let out = "";
  for (const [, rawName = "", double, single, bare] of text.matchAll(ATTRIBUTE)) {
    const name = rawName.toLowerCase();
    if (!PORTABLE_ATTRIBUTES.has(name)) continue;
    const value = double ?? single ?? bare;
    if (value === undefined) out += ` ${name}`;
    else if (!URL_ATTRIBUTES.has(name)) out += ` ${name}="${value.replaceAll('"', "&quot;")}"`;
    else {
      // The value is HTML: "&amp;" in it is "&".
      const address = absoluteLinkUrl(
        value.replace(/&(?:amp|#x26|#38);/gi, "&").replace(/&(?:quot|#x22|#34);/gi, '"'),
        base,
      );
      if (address)
        out += ` ${name}="${address.replaceAll("&", "&amp;").replaceAll('"', "&quot;")}"`;
    }
  }
  return out;
}

/** As absoluteUrl, and mail addresses stay. */
function absoluteLinkUrl(url: string, base: string): string | null {
  return /^mailto:/i.test(url) ? url : absoluteUrl(url, base);
}
