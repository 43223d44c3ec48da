// Collapses every run of plain HTML into one <StaticHtml html="…"/>, so that React renders one
// node, not thousands.

import { toHtml } from "hast-util-to-html";
import type { CompileContext } from "#lib/posts/mdx/compile-context.ts";
import {
  createAttribute,
  isJsx,
  type Element,
  type MdxJsx,
  type Node,
  type Parent,
  type Root,
} from "#lib/posts/mdx/mdx-tree.ts";
import { type Surroundings, assertServedHtml } from "./assert-served-html.ts";
import { phrasingParents } from "./html-elements.ts";

/**
 * Elements that must be direct children of their parent, since a wrapper would break the list,
 * table or details element. They stay elements, and their content is collapsed.
 */
const structuralTags = new Set(
  "li dt dd tr td th thead tbody tfoot caption colgroup col summary figcaption legend source track option rt rp".split(
    " ",
  ),
);

/**
 * Collapses `tree` in place to components, the elements around them, text, and StaticHtml nodes.
 * Throws PostError if browsers would read other elements in the HTML.
 */
export function collapseStaticHtml(tree: Root, context: CompileContext): void {
  collapseChildren(tree, { isInline: false, surroundings: "html" }, context);
}

interface Place {
  readonly isInline: boolean;
  readonly surroundings: Surroundings;
}

function collapseChildren(parent: Parent, place: Place, context: CompileContext): void {
  const next: Node[] = [];
  let run: Node[] = [];
  const flush = () => {
    next.push(...toStaticHtmlNodes(run, place, context));
    run = [];
  };
  const children = parent.children;
  const isMixed = parent.type !== "root" || children.some((child) => !isStaticHtml(child));
  for (const child of children) {
    const isKept =
      !isStaticHtml(child) ||
      (isMixed && child.type === "element" && structuralTags.has(child.tagName));
    if (!isKept) {
      run.push(child);
      continue;
    }
    flush();
    if ("children" in child) collapseChildren(child, placeInside(child, place), context);
    next.push(child);
  }
  flush();
  parent.children = next;
}

/** A component may put its children anywhere. */
function placeInside(node: Element | MdxJsx, { isInline, surroundings }: Place): Place {
  if (isJsx(node)) return { isInline: node.type === "mdxJsxTextElement", surroundings: "any" };
  const isForeign = node.tagName === "svg" || node.tagName === "math";
  return {
    isInline: isInline || phrasingParents.has(node.tagName),
    surroundings: isForeign ? "any" : surroundings,
  };
}

const staticNodes = new WeakMap<Node, boolean>();

function isStaticHtml(node: Node): boolean {
  const cached = staticNodes.get(node);
  if (cached !== undefined) return cached;
  const result =
    node.type === "element"
      ? node.children.every(isStaticHtml)
      : node.type === "text" || node.type === "raw" || node.type === "comment";
  staticNodes.set(node, result);
  return result;
}

function toStaticHtmlNodes(
  run: Node[],
  { isInline, surroundings }: Place,
  context: CompileContext,
): Node[] {
  const shown = run.filter((node) => node.type !== "comment");
  if (shown.length === 0) return [];
  if (shown.every((node) => node.type === "text")) {
    return !isInline && shown.every((node) => node.type === "text" && node.value.trim() === "")
      ? []
      : shown;
  }
  const html = toHtml({ type: "root", children: shown as never }, { allowDangerousHtml: true });
  assertServedHtml(html, shown, surroundings, context);
  return [createStaticHtmlNode(isInline ? html : html.trim(), isInline, context)];
}

function createStaticHtmlNode(html: string, isInline: boolean, context: CompileContext): MdxJsx {
  const attributes = [createAttribute("html", html)];
  if (isInline) attributes.push({ type: "mdxJsxAttribute", name: "inline", value: null });
  return {
    type: isInline ? "mdxJsxTextElement" : "mdxJsxFlowElement",
    name: context.internalName("StaticHtml"),
    attributes,
    children: [],
  };
}
