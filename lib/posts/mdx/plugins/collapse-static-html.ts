// Collapses every run of plain HTML into one <StaticHtml html="…"/>, so that React renders one
// node, not thousands.

import type { Program } from "estree";
import { toHtml } from "hast-util-to-html";
import { isJsx, type MdxJsx, type Node, type Parent, type Root } from "#lib/posts/mdx/mdx-tree.ts";

/**
 * Elements that must be direct children of their parent, since a wrapper would break the list,
 * table or details element. They stay elements, and their content is collapsed.
 */
const structuralTags = new Set(
  "li dt dd tr td th thead tbody tfoot caption colgroup col summary figcaption legend source track option rt rp".split(
    " ",
  ),
);
const phrasingParents = new Set(
  "p h1 h2 h3 h4 h5 h6 span a em strong del s b i u code sub sup small mark q cite label summary dt figcaption".split(
    " ",
  ),
);

/**
 * Collapses `tree` in place to components, the elements around them, text, and StaticHtml nodes.
 */
export function collapseStaticHtml(tree: Root): void {
  collapseChildren(tree, false);
}

function collapseChildren(parent: Parent, isInline: boolean): void {
  const next: Node[] = [];
  let run: Node[] = [];
  const flush = () => {
    next.push(...toStaticHtmlNodes(run, isInline));
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
    if ("children" in child)
      collapseChildren(
        child,
        isJsx(child)
          ? child.type === "mdxJsxTextElement"
          : isInline || (child.type === "element" && phrasingParents.has(child.tagName)),
      );
    next.push(child);
  }
  flush();
  parent.children = next;
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

function toStaticHtmlNodes(run: Node[], isInline: boolean): Node[] {
  const shown = run.filter((node) => node.type !== "comment");
  if (shown.length === 0) return [];
  if (shown.every((node) => node.type === "text")) {
    return !isInline && shown.every((node) => node.type === "text" && node.value.trim() === "")
      ? []
      : shown;
  }
  const html = toHtml({ type: "root", children: shown as never }, { allowDangerousHtml: true });
  return [createStaticHtmlNode(isInline ? html : html.trim(), isInline)];
}

function createStaticHtmlNode(html: string, isInline: boolean): MdxJsx {
  // An expression, because JSX interprets line breaks and character references in quoted
  // attributes.
  const attributes: MdxJsx["attributes"] = [
    {
      type: "mdxJsxAttribute",
      name: "html",
      value: {
        type: "mdxJsxAttributeValueExpression",
        value: "",
        data: { estree: createStringLiteral(html) },
      },
    },
  ];
  if (isInline) attributes.push({ type: "mdxJsxAttribute", name: "inline", value: null });
  return {
    type: isInline ? "mdxJsxTextElement" : "mdxJsxFlowElement",
    name: "StaticHtml",
    attributes,
    children: [],
  };
}

function createStringLiteral(value: string): Program {
  return {
    type: "Program",
    sourceType: "module",
    body: [{ type: "ExpressionStatement", expression: { type: "Literal", value } }],
  };
}
