// Collapses every run of plain HTML into one <StaticHtml html="…"/>, so that React renders one
// node, not thousands.

import { toHtml } from "hast-util-to-html";
import type { CompileContext } from "#lib/posts/mdx/compile-context.ts";
import {
  createAttribute,
  isBlank,
  isJsx,
  type Element,
  type MdxJsx,
  type Node,
  type Parent,
  type Root,
} from "#lib/posts/mdx/mdx-tree.ts";
import { type Surroundings, assertServedHtml } from "./assert-served-html.ts";
import { isPhrasing, phrasingParents } from "./html-elements.ts";

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
  const flush = (following?: Node) => {
    next.push(...toStaticHtmlNodes(run, { ...place, previous: next.at(-1), following }, context));
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
    flush(child);
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

/** Whitespace in a block matters only next to text, or to an expression or component in text. */
const isInText = (node: Node | undefined) =>
  node !== undefined && node.type !== "mdxFlowExpression" && isPhrasing(node);

const mayBeText = (node: Node | undefined) =>
  node !== undefined && (isJsx(node) || isPhrasing(node));

function toStaticHtmlNodes(
  run: Node[],
  { isInline, surroundings, previous, following }: Place & { previous?: Node; following?: Node },
  context: CompileContext,
): Node[] {
  const shown = run.filter((node) => node.type !== "comment");
  if (shown.length === 0) return [];
  const keepsStart = isInline || isInText(previous);
  const keepsEnd = isInline || isInText(following);
  if (shown.every((node) => node.type === "text")) {
    // A component or expression that is alone on a line may also be text.
    const isBetweenText = isInline || (mayBeText(previous) && mayBeText(following));
    return !isBetweenText && shown.every(isBlank) ? [] : shown;
  }
  let html = toHtml({ type: "root", children: shown as never }, { allowDangerousHtml: true });
  assertServedHtml(html, shown, surroundings, context);
  if (!keepsStart) html = html.trimStart();
  if (!keepsEnd) html = html.trimEnd();
  return [createStaticHtmlNode(html, isInline, context)];
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
