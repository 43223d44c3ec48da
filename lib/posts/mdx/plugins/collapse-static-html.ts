// The last step: every maximal run of plain HTML becomes one <Html html="…"/>, so that a page renders one node, not thousands.

import type { Program } from "estree";
import { toHtml } from "hast-util-to-html";
import { isJsx, type MdxJsx, type Node, type Parent, type Root } from "#lib/posts/mdx/mdx-tree.ts";

/**
 * Elements that only mean something as a direct child of their parent: a wrapper between them and it would break the
 * list, the table or the disclosure. They stay elements, and what is inside them is frozen.
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

/** Freezes `tree` in place. Afterwards it holds components, the elements around them, text, and Html nodes. */
export function collapseStaticHtml(tree: Root): void {
  collapseChildren(tree, false);
}

function collapseChildren(parent: Parent, inline: boolean): void {
  const next: Node[] = [];
  let run: Node[] = [];
  const flush = () => {
    next.push(...toStaticHtmlNodes(run, inline));
    run = [];
  };
  const children = parent.children;
  const mixed = parent.type !== "root" || children.some((child) => !isStaticHtml(child));
  for (const child of children) {
    const stays =
      !isStaticHtml(child) ||
      (mixed && child.type === "element" && structuralTags.has(child.tagName));
    if (!stays) {
      run.push(child);
      continue;
    }
    flush();
    if ("children" in child)
      collapseChildren(
        child,
        isJsx(child)
          ? child.type === "mdxJsxTextElement"
          : inline || (child.type === "element" && phrasingParents.has(child.tagName)),
      );
    next.push(child);
  }
  flush();
  parent.children = next;
}

const staticNodes = new WeakMap<Node, boolean>();

function isStaticHtml(node: Node): boolean {
  const known = staticNodes.get(node);
  if (known !== undefined) return known;
  const result =
    node.type === "element"
      ? node.children.every(isStaticHtml)
      : node.type === "text" || node.type === "raw" || node.type === "comment";
  staticNodes.set(node, result);
  return result;
}

function toStaticHtmlNodes(run: Node[], inline: boolean): Node[] {
  const shown = run.filter((node) => node.type !== "comment");
  if (shown.length === 0) return [];
  if (shown.every((node) => node.type === "text")) {
    return !inline && shown.every((node) => node.type === "text" && node.value.trim() === "")
      ? []
      : shown;
  }
  const html = toHtml({ type: "root", children: shown as never }, { allowDangerousHtml: true });
  return [createStaticHtmlNode(inline ? html : html.trim(), inline)];
}

function createStaticHtmlNode(html: string, inline: boolean): MdxJsx {
  // As an expression and not as a quoted attribute: JSX would read line ends and character references in the latter.
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
  if (inline) attributes.push({ type: "mdxJsxAttribute", name: "inline", value: null });
  return {
    type: inline ? "mdxJsxTextElement" : "mdxJsxFlowElement",
    name: "Html",
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
