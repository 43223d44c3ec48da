// Marks external links, and removes links nested in links.

import type { CompileContext } from "#lib/posts/mdx/compile-context.ts";
import { isElement, replaceNodes, type Node, type Root } from "#lib/posts/mdx/mdx-tree.ts";

/** Adds rel="noopener" to external links and unwraps nested links. */
export function normalizeLinks(tree: Root, context: CompileContext): void {
  const unwrap = (nodes: Node[]): Node[] =>
    nodes.flatMap((node) => {
      if (isElement(node, "a")) {
        context.warn(node, "a link inside a link was removed");
        return unwrap(node.children);
      }
      if ("children" in node) node.children = unwrap(node.children);
      return [node];
    });
  replaceNodes(tree, (node) => {
    if (!isElement(node, "a")) return undefined;
    node.children = unwrap(node.children);
    const href = String(node.properties.href ?? "");
    if (/^(https?:)?\/\//i.test(href)) {
      const rel = String(node.properties.rel ?? "")
        .split(/\s+/)
        .filter(Boolean);
      node.properties.rel = [...new Set([...rel, "noopener"])].join(" ");
    }
    return undefined;
  });
}
