// Renders a post for feeds: HTML with absolute URLs, without styles, scripts and controls.

import type { Element, ElementContent, Properties, RootContent } from "hast";
import { toHtml } from "hast-util-to-html";
import { log } from "#lib/core/log.ts";
import { mathmlElements } from "#lib/posts/mdx/plugins/html-elements.ts";
import type { Post } from "#lib/posts/post.ts";
import { type LanguageAttributes, languageAttributes } from "#lib/posts/post-language.ts";
import { absoluteUrl, postUrl, getSiteMetadata } from "#lib/posts/site-metadata.ts";
import { postToHast } from "./post-to-hast.ts";
import { fixNesting, isInline } from "./valid-nesting.ts";

/** Properties that are meaningful outside the site, by their hast names. */
const PORTABLE_PROPERTIES = new Set(
  "href src poster alt title width height colSpan rowSpan align type value lang dir controls open start reversed dateTime cite".split(
    " ",
  ),
);
/** Properties removed from MathML. Its other ones are part of the formula. */
const SITE_PROPERTY = /^(?:on.*|data.*|id|className|style)$/i;
const URL_PROPERTIES = new Set(["href", "src", "poster", "cite"]);
/** Elements removed with their content. */
const REMOVED_ELEMENTS = new Set(
  "script style button template noscript iframe svg canvas object embed select textarea input link meta base".split(
    " ",
  ),
);
/** Elements that only carry a class or need a script. Their content stays. */
const UNWRAPPED_ELEMENTS = new Set("span div picture form label".split(" "));
/** Elements with these classes are removed: a heading's link, and a themed image's dark version. */
const SITE_CLASSES = ["heading-anchor", "themed-dark"];
/** The compiler's prefix of footnotes' ids, which are the same in every post. */
const FOOTNOTE_PREFIX = /^(#?)user-content-(?=fn(?:ref)?-)/;

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
      html = toPortableHtml(postToHast(compiledSource, components, url), {
        url,
        slug: post.slug,
        language: languageAttributes(post.frontMatter),
      });
    } catch (error) {
      log("warn", "posts.feed_html_failed", { slug: post.slug, error });
      html = null;
    }
    feedHtmlCache.set(post, html);
  }
  return html;
}

/** The post that HTML is from. */
interface HtmlOrigin {
  readonly url: string;
  readonly slug: string;
  readonly language?: LanguageAttributes;
}

/**
 * Returns `nodes` as HTML without classes, styles, scripts and controls. Resolves URLs against the
 * post's, except between footnotes.
 */
export function toPortableHtml(nodes: readonly RootContent[], origin: HtmlOrigin): string {
  const content = toPortableNodes(nodes, origin);
  const { lang, dir } = origin.language ?? {};
  const children: ElementContent[] =
    lang === undefined
      ? content
      : [{ type: "element", tagName: "div", properties: { lang, dir }, children: content }];
  const characterReferences = { useNamedReferences: true };
  return toHtml({ type: "root", children }, { characterReferences }).trim();
}

function toPortableNodes(
  nodes: readonly RootContent[],
  origin: HtmlOrigin,
  isInLink = false,
): ElementContent[] {
  return nodes.flatMap((node): ElementContent[] => {
    if (node.type === "text") return [node];
    if (node.type !== "element") return [];
    if (isCheckbox(node)) return [{ type: "text", value: node.properties.checked ? "☑" : "☐" }];
    const { ariaLabel } = node.properties;
    if (node.tagName === "svg" && typeof ariaLabel === "string")
      return [{ type: "text", value: ariaLabel }];
    if (REMOVED_ELEMENTS.has(node.tagName)) return [];
    if (SITE_CLASSES.some((name) => hasClass(node.properties, name))) return [];
    const isLink = node.tagName === "a";
    const children = toPortableNodes(node.children, origin, isInLink || isLink);
    // On the site, CSS adds the signs of added and removed lines of code.
    const sign = hasClass(node.properties, "line") && findSign(node.properties);
    if (sign) children.unshift({ type: "text", value: sign });
    // Without a block around it, a line would run into the next one.
    const isLine = node.tagName === "div" && children.some(isInline);
    if ((isUnwrapped(node.tagName) && !isLine) || (isLink && isInLink)) return children;
    const properties = toPortableProperties(node, origin);
    // A source without a URL is one of a picture's formats.
    if (node.tagName === "source" && !properties.src) return [];
    if (node.tagName === "pre" && origin.language?.dir === "rtl") properties.dir = "ltr";
    return fixNesting({ type: "element", tagName: node.tagName, properties, children });
  });
}

/** A name with a hyphen, a dot or a capital letter is a custom element or a component. */
function isUnwrapped(tagName: string): boolean {
  return UNWRAPPED_ELEMENTS.has(tagName) || !/^[a-z][a-z0-9]*$/.test(tagName);
}

/** A task list shows its state; other controls need the site. */
function isCheckbox({ tagName, properties }: Element): boolean {
  return tagName === "input" && properties.type === "checkbox";
}

/** Handles `className` as a list (from the HTML parser) and as a string (from JSX). */
function hasClass({ className }: Properties, name: string): boolean {
  return [className ?? []].flat().join(" ").split(" ").includes(name);
}

const findSign = (properties: Properties) =>
  hasClass(properties, "added") ? "+" : hasClass(properties, "removed") ? "-" : null;

function toPortableProperties(
  { tagName, properties }: Element,
  { url, slug }: HtmlOrigin,
): Properties {
  const portable: Properties = {};
  const isMath = mathmlElements.has(tagName);
  for (const [name, value] of Object.entries(properties)) {
    const isFootnote = /^(?:id|href)$/.test(name) && FOOTNOTE_PREFIX.test(String(value));
    if (isFootnote) portable[name] = String(value).replace(FOOTNOTE_PREFIX, `$1${slug}-`);
    else if (PORTABLE_PROPERTIES.has(name) || (isMath && !SITE_PROPERTY.test(name)))
      portable[name] = URL_PROPERTIES.has(name) ? resolveUrl(String(value), url) : value;
  }
  return portable;
}

/** Returns null for a URL that is neither http(s) nor mailto. */
function resolveUrl(url: string, base: string): string | null {
  return /^mailto:/i.test(url) ? url : absoluteUrl(url, base);
}
