// Links: outside ones say so to the browser, and none stands inside another.

import type { CompileContext } from "#lib/posts/mdx/compile-context.ts";
import { isElement, replaceNodes, type Node, type Root } from "#lib/posts/mdx/mdx-tree.ts";

/** Adds rel="noopener" to outside links and unwraps a link inside a link. */
export function normalizeLinks(tree: Root, draft: CompileContext): void {
  const unwrap = (nodes: Node[]): Node[] =>
    nodes.flatMap((node) => {
      if (isElement(node, "a")) {
        draft.warn(node, "a link inside a link was left out");
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
