// Wraps tables in a scrollable region that can be focused with the keyboard.

import { truncateAtWord } from "#lib/core/truncate-at-word.ts";
import {
  createElement,
  isElement,
  replaceNodes,
  type Node,
  type Root,
} from "#lib/posts/mdx/mdx-tree.ts";
import { getTextContent } from "./plain-text.ts";

/** Wraps every table in a region with a unique name. */
export function wrapTables(tree: Root): void {
  let count = 0;
  replaceNodes(tree, (node, ancestors) => {
    if (!isElement(node, "table") || ancestors.some((parent) => isElement(parent as Node, "table")))
      return undefined;
    count += 1;
    const headers: string[] = [];
    replaceNodes(node, (cell) => {
      if (isElement(cell, "caption") && headers.length === 0)
        headers.push(getTextContent(cell).trim());
      else if (isElement(cell, "th") && headers.length < 6)
        headers.push(getTextContent(cell).replace(/\s+/g, " ").trim());
      return undefined;
    });
    const label = [`Table ${count}`, truncateAtWord(headers.filter(Boolean).join(", "), 120)]
      .filter(Boolean)
      .join(": ");
    return createElement(
      "div",
      { className: ["table"], tabIndex: 0, role: "region", ariaLabel: label },
      [node],
      node,
    );
  });
}
