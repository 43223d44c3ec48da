// Inserts the table of contents for <TOCInline/>, <TableOfContents/>, [[toc]] and [TOC].

import type { Heading } from "#lib/posts/mdx/compiled-post.ts";
import type { CompileContext } from "#lib/posts/mdx/compile-context.ts";
import type { StaticValue } from "#lib/posts/mdx/static-value.ts";
import {
  createElement,
  isElement,
  replaceNodes,
  createText,
  type Element,
  type Node,
  type Root,
} from "#lib/posts/mdx/mdx-tree.ts";

/**
 * Replaces each placeholder with a list of headings. Options: `exclude`, `fromHeading`,
 * `toHeading`, `asDisclosure`.
 */
export function insertTableOfContents(tree: Root, context: CompileContext): void {
  let count = 0;
  replaceNodes(tree, (node) => {
    if (!isElement(node, "lectern-contents") && !isWrittenPlaceholder(node)) return undefined;
    count += 1;
    const options = (node.data?.options ?? {}) as Record<string, StaticValue>;
    const exclude = new Set(
      [options.exclude ?? []].flat().map((title) => String(title).toLowerCase()),
    );
    const from = typeof options.fromHeading === "number" ? options.fromHeading : 1;
    const to = typeof options.toHeading === "number" ? options.toHeading : 6;
    const headings = context.headings.filter(
      (one) => one.depth >= from && one.depth <= to && !exclude.has(one.text.toLowerCase()),
    );
    if (headings.length === 0) return [];
    const label = count === 1 ? "In this post" : `In this post, list ${count}`;
    const nav = createElement(
      "nav",
      { className: ["contents"], ariaLabel: label },
      [createHeadingList(headings)],
      node,
    );
    return options.asDisclosure
      ? createElement(
          "details",
          { className: ["contents-details"] },
          [createElement("summary", {}, [createText("In this post")]), nav],
          node,
        )
      : nav;
  });
}

/** Returns whether the node is a paragraph with only `[[toc]]` or `[TOC]`. */
function isWrittenPlaceholder(node: Node): node is Element {
  if (!isElement(node, "p") || node.children.length !== 1) return false;
  const [text] = node.children;
  return text?.type === "text" && /^\s*(?:\[\[toc\]\]|\[toc\])\s*$/i.test(text.value);
}

function createHeadingList(headings: readonly Heading[]): Element {
  const items: Element[] = [];
  const top = Math.min(...headings.map((heading) => heading.depth));
  for (let start = 0; start < headings.length;) {
    const heading = headings[start]!;
    let end = start + 1;
    while (end < headings.length && headings[end]!.depth > top) end += 1;
    const deeper = headings.slice(heading.depth > top ? start : start + 1, end);
    const item = createElement(
      "li",
      {},
      heading.depth > top
        ? []
        : [createElement("a", { href: `#${heading.id}` }, [createText(heading.text)])],
    );
    if (deeper.length > 0) item.children.push(createHeadingList(deeper));
    items.push(item);
    start = end;
  }
  return createElement("ul", {}, items);
}
