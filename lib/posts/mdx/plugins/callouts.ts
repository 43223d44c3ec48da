// Converts <callout-info class="aside">…</callout-info>, block or inline, to semantic HTML.

import type { Blockquote, Paragraph } from "mdast";
import type { CompileContext } from "#lib/posts/mdx/compile-context.ts";
import {
  classesOf,
  isElement,
  replaceNodes,
  type Element,
  type Properties,
  type Root,
} from "#lib/posts/mdx/mdx-tree.ts";
import { isPhrasing, phrasingParents } from "./html-elements.ts";

const calloutLabels: Record<string, string> = {
  info: "Information",
  success: "Success",
  warning: "Warning",
  danger: "Danger",
  muted: "Aside",
};

/**
 * Maps each kind of `<Callout>`, `:::kind` and `> [!KIND]` to its callout, including the names that
 * other engines use.
 */
export const CALLOUT_KINDS: Record<string, string> = {
  info: "info",
  note: "info",
  important: "info",
  abstract: "info",
  summary: "info",
  question: "info",
  success: "success",
  tip: "success",
  hint: "success",
  warning: "warning",
  attention: "warning",
  danger: "danger",
  caution: "danger",
  error: "danger",
  failure: "danger",
  bug: "danger",
  muted: "muted",
  aside: "muted",
  example: "muted",
  quote: "muted",
  secondary: "muted",
};

/**
 * Returns a callout's properties. The label conveys its kind to readers who can't see the color.
 */
function calloutProperties(kind: string, label: string, classes: string[] = []): Properties {
  return { className: ["callout", `callout-${kind}`, ...classes], role: "note", ariaLabel: label };
}

/** Turns a block quote into a callout. `kind` is a key of CALLOUT_KINDS and the default title. */
export function makeCallout(quote: Blockquote, kind: string, title?: Paragraph): void {
  const label = kind[0]!.toUpperCase() + kind.slice(1);
  if (title === undefined)
    quote.children.unshift(
      (title = { type: "paragraph", children: [{ type: "text", value: label }] }),
    );
  title.data = { hProperties: { className: ["callout-title"] } };
  const classes = kind === "important" ? [kind] : [];
  quote.data = {
    hName: "aside",
    hProperties: calloutProperties(CALLOUT_KINDS[kind]!, label, classes) as never,
  };
}

/**
 * Converts callout elements to `<aside>` or, inline, `<span>`. Throws PostError for an unknown
 * kind.
 */
export function convertCallouts(tree: Root, context: CompileContext): void {
  replaceNodes(tree, (node, ancestors) => {
    if (!isElement(node) || !node.tagName.startsWith("callout-")) return undefined;
    const kind = node.tagName.slice("callout-".length);
    const label = calloutLabels[kind];
    if (label === undefined)
      context.fail(
        node,
        `<${node.tagName}> is not a callout; there are ${Object.keys(calloutLabels)
          .map((name) => `callout-${name}`)
          .join(", ")}`,
      );
    const parent = ancestors.at(-1)!;
    const isInline =
      (node.data?.inline === true || isElement(parent, ...phrasingParents)) &&
      node.children.every((child) => isPhrasing(child));
    const classes = classesOf(node);
    const { className: _, ...others } = node.properties;
    node.tagName = isInline ? "span" : "aside";
    node.properties = { ...others, ...calloutProperties(kind, label, classes) };
    if (!isInline) wrapInParagraph(node);
    return undefined;
  });
}

/** Wraps bare text in a block in a paragraph, so that spacing is consistent. */
function wrapInParagraph(node: Element): void {
  if (!node.children.some((child) => child.type === "text" && child.value.trim() !== "")) return;
  if (node.children.every((child) => isPhrasing(child))) {
    node.children = [{ type: "element", tagName: "p", properties: {}, children: node.children }];
  }
}
