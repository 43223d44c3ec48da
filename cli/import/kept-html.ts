// Keeps HTML that Markdown has no syntax for, in the form that MDX accepts.

import type { Conversion } from "./html-rule.ts";
import { encodeMarkupCharacters, formatAttribute } from "./mdx-text.ts";

const INLINE_TAGS = new Set([
  "abbr",
  "cite",
  "dfn",
  "ins",
  "kbd",
  "mark",
  "q",
  "samp",
  "small",
  "sub",
  "sup",
  "u",
  "var",
]);

export const isInlineHtml = (element: Node) => INLINE_TAGS.has(element.nodeName.toLowerCase());

/** Returns whether the element has no text outside inline HTML. */
export const hasOnlyInlineHtml = (element: Node): boolean =>
  Array.from(element.childNodes).every((child) =>
    child.nodeType === 3
      ? !child.textContent?.trim()
      : isInlineHtml(child) || (child.nodeName === "SPAN" && hasOnlyInlineHtml(child)),
  );

export function formatInlineHtml(element: Element, content: string): string {
  const tag = element.nodeName.toLowerCase();
  const title = element.getAttribute("title");
  return `<${tag}${title ? ` ${formatAttribute("title", title)}` : ""}>${content}</${tag}>`;
}

const KEPT_TAGS = new Set([
  ...INLINE_TAGS,
  ..."a b blockquote br caption code col colgroup dd del div dl dt em h2 h3 h4 h5 h6 i img li ol p pre s span strong table tbody td tfoot th thead tr ul".split(
    " ",
  ),
]);
const VOID_TAGS = new Set(["br", "col", "img"]);
const DROPPED_TAGS = new Set(["script", "style", "noscript", "form", "iframe", "svg", "button"]);
const KEPT_ATTRIBUTES = ["alt", "colspan", "href", "rowspan", "scope", "src", "start", "title"];

/**
 * Returns the element as HTML on one line, with all its text escaped. Unknown elements are replaced
 * by their content.
 */
export function keepHtml(element: Element, conversion: Conversion): string {
  const tag = element.nodeName.toLowerCase();
  if (DROPPED_TAGS.has(tag)) return "";
  const inner = Array.from(element.childNodes)
    .map((child) =>
      child.nodeType === 3
        ? encodeMarkupCharacters((child.textContent ?? "").replace(/\s+/g, " "))
        : child.nodeType === 1
          ? keepHtml(child as Element, conversion)
          : "",
    )
    .join("");
  if (!KEPT_TAGS.has(tag)) return inner;
  const attributes = KEPT_ATTRIBUTES.flatMap((name) => {
    const value = element.getAttribute(name);
    if (value === null || /^\s*(?:javascript|vbscript):/i.test(value)) return [];
    const resolved =
      name === "src" || (name === "href" && conversion.isAsset(value))
        ? conversion.resolveAsset(value)
        : name === "href"
          ? conversion.resolveLink(value)
          : value;
    return [` ${formatAttribute(name, resolved)}`];
  }).join("");
  return VOID_TAGS.has(tag)
    ? `<${tag}${attributes} />`
    : `<${tag}${attributes}>${inner.replace(/^ | $/g, tag === "td" || tag === "th" ? "" : "$&")}</${tag}>`;
}
