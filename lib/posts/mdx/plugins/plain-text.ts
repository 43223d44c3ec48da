// Extracts the visible text of a post, for search, word count and headings.

import {
  classesOf,
  isElement,
  isJsx,
  type Element,
  type Node,
  type Root,
} from "#lib/posts/mdx/mdx-tree.ts";
import { CALLOUT_KINDS } from "./callouts.ts";
import { phrasingElements } from "./html-elements.ts";

/**
 * Returns all text in `node`, without footnote marks and separators. Line breaks become spaces, and
 * formulas their TeX.
 */
export function getTextContent(node: Node | Root): string {
  if (node.type === "text") return node.value;
  if (isElement(node, "br")) return " ";
  if (node.type === "raw") return node.text ?? "";
  if (!("children" in node) || (isElement(node) && "dataFootnoteRef" in node.properties)) return "";
  // MathML has the formula twice; the last child is the TeX.
  const children = isElement(node, "semantics") ? node.children.slice(-1) : node.children;
  return children.map(getTextContent).join("");
}

/**
 * Returns the post as plain text: one block per line, whitespace collapsed, each line of code
 * separate.
 */
export function toPlainText(tree: Root): string {
  const parts: string[] = [];
  const walk = (node: Node | Root, verbatim: boolean) => {
    if (node.type === "text") parts.push(verbatim ? node.value : node.value.replace(/\s+/g, " "));
    else if (node.type === "raw") parts.push(node.text ?? "");
    else if (isElement(node, "math")) parts.push(getTextContent(node));
    else if ("children" in node) {
      if (isElement(node) && isDecoration(node)) return;
      const isBlock = isElement(node)
        ? !phrasingElements.has(node.tagName) || node.tagName === "br"
        : isJsx(node) && node.type === "mdxJsxFlowElement";
      if (isBlock) parts.push("\n");
      for (const child of node.children) walk(child, verbatim || isElement(node, "pre"));
      if (isBlock) parts.push("\n");
    }
  };
  walk(tree, false);
  return parts
    .join("")
    .split("\n")
    .map((line) => line.replace(/\s+/g, " ").trim())
    .filter(Boolean)
    .join("\n");
}

/**
 * Returns whether an element is not the author's text: an anchor, footnote mark, table of contents,
 * default title of a callout, or the source of a diagram.
 */
function isDecoration(node: Element): boolean {
  const { properties, tagName } = node;
  const classes = classesOf(node);
  return (
    properties.ariaHidden === "true" ||
    "dataFootnoteBackref" in properties ||
    "dataFootnoteRef" in properties ||
    tagName === "svg" ||
    // A title that only names the kind, such as "Note".
    (classes.includes("callout-title") &&
      Object.hasOwn(CALLOUT_KINDS, getTextContent(node).toLowerCase())) ||
    DECORATION_CLASSES.some((name) => classes.includes(name))
  );
}

const DECORATION_CLASSES = ["visually-hidden", "contents", "contents-details", "language-mermaid"];

/** Text in scripts without spaces between words, which only a dictionary can separate. */
const UNSPACED_RUN = /[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]+/gu;

const HAN_OR_KANA = String.raw`\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}`;
const CHARACTER_OR_RUN = new RegExp(`[${HAN_OR_KANA}]|[^\\s${HAN_OR_KANA}]+`, "gu");
const HAS_LETTER = new RegExp(String.raw`[\p{L}\p{N}${HAN_OR_KANA}]`, "u");

/** Counts words; a Chinese or Japanese character counts as one word. */
export function countWords(value: string): number {
  const segmenter = new Intl.Segmenter("th", { granularity: "word" });
  const spaced = value.replace(UNSPACED_RUN, (run) =>
    Array.from(segmenter.segment(run), ({ segment }) => segment).join(" "),
  );
  return spaced.match(CHARACTER_OR_RUN)?.filter((run) => HAS_LETTER.test(run)).length ?? 0;
}
