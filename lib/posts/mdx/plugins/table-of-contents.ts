// <TOCInline/> and <TableOfContents/>: the post's headings as a list inside the post.

import type { Heading } from "#lib/posts/mdx/compiled-post.ts";
import type { CompileContext } from "#lib/posts/mdx/compile-context.ts";
import type { StaticValue } from "#lib/posts/mdx/static-value.ts";
import {
  createElement,
  isElement,
  replaceNodes,
  createText,
  type Element,
  type Root,
} from "#lib/posts/mdx/mdx-tree.ts";

/** Puts the list where the post asks for it. `exclude`, `fromHeading`, `toHeading` and `asDisclosure` choose what and how. */
export function insertTableOfContents(tree: Root, draft: CompileContext): void {
  let count = 0;
  replaceNodes(tree, (node) => {
    if (!isElement(node, "lectern-contents")) return undefined;
    count += 1;
    const given = (node.data?.given ?? {}) as Record<string, StaticValue>;
    const exclude = new Set(
      [given.exclude ?? []].flat().map((title) => String(title).toLowerCase()),
    );
    const from = typeof given.fromHeading === "number" ? given.fromHeading : 1;
    const to = typeof given.toHeading === "number" ? given.toHeading : 6;
    const headings = draft.headings.filter(
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
    return given.asDisclosure
      ? createElement(
          "details",
          { className: ["contents-details"] },
          [createElement("summary", {}, [createText("In this post")]), nav],
          node,
        )
      : nav;
  });
}

function createHeadingList(headings: readonly Heading[]): Element {
  const items: Element[] = [];
  const top = Math.min(...headings.map((heading) => heading.depth));
  for (let at = 0; at < headings.length;) {
    const heading = headings[at]!;
    let end = at + 1;
    while (end < headings.length && headings[end]!.depth > top) end += 1;
    const deeper = headings.slice(heading.depth > top ? at : at + 1, end);
    const item = createElement(
      "li",
      {},
      heading.depth > top
        ? []
        : [createElement("a", { href: `#${heading.id}` }, [createText(heading.text)])],
    );
    if (deeper.length > 0) item.children.push(createHeadingList(deeper));
    items.push(item);
    at = end;
  }
  return createElement("ul", {}, items);
}
