// Removes kramdown's attribute lists, {: #id .class}, which posts from Jekyll contain.

import type { Root } from "mdast";
import { toString } from "mdast-util-to-string";
import { visit } from "unist-util-visit";

const ATTRIBUTE = String.raw`[\w.#-]+(?:=(?:"[^"\n]*"|'[^'\n]*'))?`;
const LIST = String.raw`\{:[ \t]*${ATTRIBUTE}(?:[ \t]+${ATTRIBUTE})*[ \t]*\}`;
const WHOLE = new RegExp(`^${LIST}$`);
const AT_START = new RegExp(`^${LIST}`);
const FIRST_LINE = new RegExp(String.raw`^${LIST}(?=[ \t]*(?:\r?\n|$))`);
const ON_ITS_LINE = new RegExp(String.raw`(?:^|\r?\n)[ \t]*${LIST}[ \t]*(?=\r?\n|$)`, "g");

/**
 * Removes lists on separate lines, in table rows, and after an image, a link or code. A heading gets
 * the ID in the list below it, and `{:toc}` turns its list into a table of contents.
 */
export function removeAttributeLists(tree: Root): void {
  visit(tree, (node, index, parent) => {
    if (node.type === "list" && /^[^\n]*\n\{:\s*toc\b[^{}]*\}$/.test(toString(node))) {
      parent!.children[index!] = {
        type: "paragraph",
        children: [{ type: "text", value: "[toc]" }],
      } as never;
    } else if (node.type === "table") {
      node.children = node.children.filter((row) => !WHOLE.test(toString(row).trim()));
    } else if (node.type === "paragraph") {
      const [first] = node.children;
      const list = first?.type === "text" ? FIRST_LINE.exec(first.value)?.[0] : undefined;
      const id = list && /#([\w-]+)/.exec(list.replace(/"[^"]*"|'[^']*'/g, ""))?.[1];
      const heading = parent!.children[index! - 1];
      if (id && heading?.type === "heading") heading.data = { hProperties: { id } };
      for (const [place, child] of node.children.entries()) {
        if (child.type !== "text") continue;
        if (place > 0) child.value = child.value.replace(AT_START, "");
        child.value = child.value.replace(ON_ITS_LINE, "");
      }
      if (node.children.every((child) => child.type === "text" && child.value === "")) {
        parent!.children.splice(index!, 1);
        return index;
      }
    }
    return undefined;
  });
}
