// Makes the nesting of elements valid HTML where a block-level element replaced a component.

import type { Element, ElementContent } from "hast";

/** Elements that a paragraph can't contain: a parser ends the paragraph before them. */
const BLOCK_ELEMENTS = new Set(
  "address article aside blockquote details dialog dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr li main menu nav ol p pre search section table ul".split(
    " ",
  ),
);
/** Elements whose content is text and inline elements. */
const INLINE_CONTAINERS = new Set(
  "h1 h2 h3 h4 h5 h6 summary a em strong b i u s small sub sup mark code kbd samp var q cite dfn abbr ins del pre span".split(
    " ",
  ),
);

const isBlock = (node: ElementContent) =>
  node.type === "element" && BLOCK_ELEMENTS.has(node.tagName);
const isParagraph = (node: ElementContent): node is Element =>
  node.type === "element" && node.tagName === "p";
const isWhitespace = (node: ElementContent) => node.type === "text" && node.value.trim() === "";
/** Returns whether the node is text or an inline element. */
export const isInline = (node: ElementContent): boolean => !isBlock(node) && !isWhitespace(node);

/**
 * Returns `element` as one or more elements with valid content: a paragraph ends before a block and
 * continues after it, and a paragraph in a heading, in inline text or next to text in a table cell
 * becomes inline.
 */
export function fixNesting(element: Element): ElementContent[] {
  const { tagName, children } = element;
  if (tagName === "p") return splitParagraph(element);
  const isInlineCell =
    /^t[dh]$/.test(tagName) && (children.length === 1 || children.some(isInline));
  if (isInlineCell || INLINE_CONTAINERS.has(tagName))
    return [{ ...element, children: inlineParagraphs(children) }];
  return [element];
}

/** Replaces each paragraph by its content, with a space before what follows. */
function inlineParagraphs(nodes: readonly ElementContent[]): ElementContent[] {
  return nodes.flatMap((node, index) => {
    if (!isParagraph(node)) return [node];
    const separator: ElementContent[] =
      index < nodes.length - 1 ? [{ type: "text", value: " " }] : [];
    return [...node.children, ...separator];
  });
}

/** Paragraphs within one become inline; other blocks split it. */
function splitParagraph(paragraph: Element): ElementContent[] {
  const parts: ElementContent[] = [];
  let run: ElementContent[] = [];
  const endRun = () => {
    if (!run.every(isWhitespace)) parts.push({ ...paragraph, children: run });
    run = [];
  };
  const children = inlineParagraphs(paragraph.children);
  if (!children.some(isBlock)) return [{ ...paragraph, children }];
  for (const node of children) {
    if (isBlock(node)) {
      endRun();
      parts.push(node);
    } else run.push(node);
  }
  endRun();
  return parts;
}
