// A wide table scrolls inside its own frame, which the keyboard can reach.

import { element, isElement, rewrite, type Node, type Root } from "../tree.ts";
import { textOf } from "./plain-text.ts";

/** Wraps every table; each frame has a name of its own. */
export function frameTables(tree: Root): void {
  let count = 0;
  rewrite(tree, (node, ancestors) => {
    if (!isElement(node, "table") || ancestors.some((parent) => isElement(parent as Node, "table")))
      return undefined;
    count += 1;
    const headers: string[] = [];
    rewrite(node, (cell) => {
      if (isElement(cell, "caption") && headers.length === 0) headers.push(textOf(cell).trim());
      else if (isElement(cell, "th") && headers.length < 6)
        headers.push(textOf(cell).replace(/\s+/g, " ").trim());
      return undefined;
    });
    const label = [`Table ${count}`, headers.filter(Boolean).join(", ").slice(0, 120)]
      .filter(Boolean)
      .join(": ");
    return element(
      "div",
      { className: ["table"], tabIndex: 0, role: "region", ariaLabel: label },
      [node],
      node,
    );
  });
}
