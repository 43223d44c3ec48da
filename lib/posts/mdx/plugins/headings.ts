// Headings: levels below the page's title, unique ids, and a link to each that never nests in another link.

import GithubSlugger from "github-slugger";
import type { CompileContext } from "#lib/posts/mdx/compile-context.ts";
import {
  createElement,
  isElement,
  isJsx,
  replaceNodes,
  createText,
  type Element,
  type Node,
  type Root,
} from "#lib/posts/mdx/mdx-tree.ts";
import { getTextContent } from "./plain-text.ts";

const headingTag = /^h([1-6])$/;

/** Ids that pages use themselves (the target of "skip to content" and the like). */
const reservedIds = ["main", "content", "top", "header", "footer", "search", "article", "comments"];

/** Gives every heading its id and link, and notes depth 2 to 4 in the draft. A post that uses `#` moves down by one level. */
export function linkHeadings(tree: Root, draft: CompileContext): void {
  const found: Element[] = [];
  replaceNodes(tree, (node) => {
    if (isElement(node) && headingTag.test(node.tagName) && node.properties.id !== "footnote-label")
      found.push(node);
    return undefined;
  });
  const shift = found.some((heading) => heading.tagName === "h1") ? 1 : 0;
  const slugger = new GithubSlugger();
  const taken = new Set<string>(reservedIds);
  for (const heading of found) {
    const depth = Math.min(6, Number(heading.tagName[1]) + shift);
    heading.tagName = `h${depth}`;
    const title = getTextContent(heading).replace(/\s+/g, " ").trim();
    const own =
      typeof heading.properties.id === "string" && heading.properties.id
        ? heading.properties.id
        : null;
    let id = own ?? slugger.slug(title || "section");
    while (taken.has(id)) id = slugger.slug(own ?? (title || "section"));
    taken.add(id);
    heading.properties.id = id;
    addHeadingLink(heading, id, title);
    if (depth >= 2 && depth <= 4 && title)
      draft.headings.push({ depth: depth as 2 | 3 | 4, id, text: title });
  }
}

function addHeadingLink(heading: Element, id: string, title: string): void {
  if (containsLink(heading)) {
    const mark = createElement("span", { ariaHidden: "true" }, [createText("#")]);
    heading.children.push(
      createText(" "),
      createElement(
        "a",
        {
          className: ["heading-anchor", "anchor"],
          href: `#${id}`,
          ariaLabel: `Link to “${title}”`,
        },
        [mark],
      ),
    );
  } else {
    heading.children = [
      createElement("a", { className: ["heading-link"], href: `#${id}` }, heading.children),
    ];
  }
}

/** A component may hold a link: we can't see inside, so it counts as one. */
function containsLink(node: Node): boolean {
  if (isElement(node, "a") || isJsx(node)) return true;
  return "children" in node && node.children.some(containsLink);
}
