// <callout-info class="aside">…</callout-info>, block or inline, becomes HTML that means something.

import type { CompileContext } from "#lib/posts/mdx/compile-context.ts";
import {
  classesOf,
  isElement,
  replaceNodes,
  type Element,
  type Properties,
  type Root,
} from "#lib/posts/mdx/mdx-tree.ts";
import { isPhrasing } from "./html-elements.ts";

const calloutLabels: Record<string, string> = {
  info: "Information",
  success: "Success",
  warning: "Warning",
  danger: "Danger",
  muted: "Aside",
};
const phrasingParents = new Set([
  "p",
  "h1",
  "h2",
  "h3",
  "h4",
  "h5",
  "h6",
  "a",
  "em",
  "strong",
  "del",
  "span",
  "summary",
  "figcaption",
]);

/** Properties of a callout's element; its kind is said in words too, since colour alone says nothing to many readers. */
export function calloutProperties(kind: string, label: string, classes: string[] = []): Properties {
  return { className: ["callout", `callout-${kind}`, ...classes], role: "note", ariaLabel: label };
}

/** Turns callout elements into `<aside>` or, inline, `<span>`. Throws a PostError for a kind that doesn't exist. */
export function convertCallouts(tree: Root, draft: CompileContext): void {
  replaceNodes(tree, (node, ancestors) => {
    if (!isElement(node) || !node.tagName.startsWith("callout-")) return undefined;
    const kind = node.tagName.slice("callout-".length);
    const label = calloutLabels[kind];
    if (label === undefined)
      draft.fail(
        node,
        `<${node.tagName}> is not a callout; there are ${Object.keys(calloutLabels)
          .map((name) => `callout-${name}`)
          .join(", ")}`,
      );
    const parent = ancestors.at(-1)!;
    const inline =
      (node.data?.inline === true || isElement(parent, ...phrasingParents)) &&
      node.children.every((child) => isPhrasing(child));
    const classes = classesOf(node);
    const { className: _, ...others } = node.properties;
    node.tagName = inline ? "span" : "aside";
    node.properties = { ...others, ...calloutProperties(kind, label, classes) };
    if (!inline) wrapInParagraph(node);
    return undefined;
  });
}

/** Text directly in a block gets a paragraph, so that one rule of spacing serves both ways to write it. */
function wrapInParagraph(node: Element): void {
  if (!node.children.some((child) => child.type === "text" && child.value.trim() !== "")) return;
  if (node.children.every((child) => isPhrasing(child))) {
    node.children = [{ type: "element", tagName: "p", properties: {}, children: node.children }];
  }
}
