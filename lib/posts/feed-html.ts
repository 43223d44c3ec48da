// A post's text as a feed carries it: plain HTML that needs neither our styles nor our scripts, every address absolute.

import { log } from "../base/log.ts";
import type { Post } from "./post.ts";
import { absoluteUrl, postUrl, siteFacts } from "./site-facts.ts";
import { staticHtml } from "./static-html.ts";

/** Attributes that mean something away from the site. */
const KEPT = new Set(
  "href src poster alt title width height colspan rowspan lang dir controls open start reversed datetime cite".split(
    " ",
  ),
);
const ADDRESSES = new Set(["href", "src", "poster", "cite"]);
/** Elements that go with all that is in them. */
const GONE = new Set("script style button template noscript iframe svg".split(" "));
/** Elements that only carried a class: their content stays. */
const UNWRAPPED = new Set("span div picture".split(" "));

const TAG = /<!--[\s\S]*?-->|<(\/?)([a-z][\w-]*)((?:[^>"']|"[^"]*"|'[^']*')*)>/gi;
const ATTRIBUTE = /([a-z][\w:-]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/gi;

const kept = new WeakMap<Post, string | null>();

/** The post's text for a feed, or null (and a line in the log) where it can't be had; the description then stands for it. */
export function feedHtml(post: Post): string | null {
  if (post.compiled.compiledSource === "") return null; // still being compiled
  let html = kept.get(post);
  if (html === undefined) {
    const url = postUrl(siteFacts(), post.slug);
    try {
      html = portableHtml(
        staticHtml(post.compiled.compiledSource, post.compiled.components, url),
        url,
      );
    } catch (error) {
      log("warn", "posts.feed_html_failed", { slug: post.slug, error });
      html = null;
    }
    kept.set(post, html);
  }
  return html;
}

/** `html` (written by our own serializer) without classes, styles, scripts and controls, its addresses seen from `base`. */
export function portableHtml(html: string, base: string): string {
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
      GONE.has(name) ||
      (name === "a" && /\bclass="[^"]*\bheading-anchor\b/.test(attributes))
    ) {
      if (!slash && !whole.endsWith("/>")) gone = { name, depth: 1 };
    } else if (rawName !== "" && !UNWRAPPED.has(name)) {
      const tag = slash ? `</${name}>` : `<${name}${attributesOf(attributes, base)}>`;
      // A source without an address was one of the picture's formats.
      if (tag !== "<source>") out += tag;
    }
  }
  if (!gone) out += html.slice(last);
  return out.trim();
}

function attributesOf(text: string, base: string): string {
  let out = "";
  for (const [, rawName = "", double, single, bare] of text.matchAll(ATTRIBUTE)) {
    const name = rawName.toLowerCase();
    if (!KEPT.has(name)) continue;
    const value = double ?? single ?? bare;
    if (value === undefined) out += ` ${name}`;
    else if (!ADDRESSES.has(name)) out += ` ${name}="${value.replaceAll('"', "&quot;")}"`;
    else {
      // The value is HTML: "&amp;" in it is "&".
      const address = absoluteAddress(
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
function absoluteAddress(url: string, base: string): string | null {
  return /^mailto:/i.test(url) ? url : absoluteUrl(url, base);
}
