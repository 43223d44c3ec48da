// Gives headings a level below the page's title, a unique id, and a link that is never nested in
// another link.

import GithubSlugger, { slug as toSlug } from "github-slugger";
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

/** Ids used by pages and the search palette, such as the target of "Skip to content". */
const reservedIds = (
  "main content top header footer search article comments found post-title toc-title author-title " +
  "share-title standing-title recommend-title"
).split(" ");

/**
 * Links every heading, and records those of depth 2 to 4 in the context. If a post uses `#`, all
 * headings move down one level.
 */
export function linkHeadings(tree: Root, context: CompileContext): void {
  const headings: Element[] = [];
  const usedIds = new Set<string>(reservedIds);
  const authorIds = new Set<string>();
  replaceNodes(tree, (node) => {
    if (!isElement(node)) return undefined;
    const isHeading = headingTag.test(node.tagName) && node.properties.id !== "footnote-label";
    if (isHeading) takeWrittenId(node);
    const { id } = node.properties;
    if (isHeading) headings.push(node);
    if (id) (isHeading ? authorIds : usedIds).add(String(id));
    return undefined;
  });
  const shift = headings.some((heading) => heading.tagName === "h1") ? 1 : 0;
  const slugger = new GithubSlugger();
  for (const heading of headings) {
    const depth = Math.min(6, Number(heading.tagName[1]) + shift);
    heading.tagName = `h${depth}`;
    const title = getTextContent(heading).replace(/\s+/g, " ").trim();
    const authorId =
      typeof heading.properties.id === "string" && heading.properties.id
        ? heading.properties.id
        : null;
    // The slug of emoji and punctuation is empty.
    const name = authorId ?? (toSlug(title) === "" ? "section" : title);
    let id = authorId ?? slugger.slug(name);
    while (usedIds.has(id) || (authorId === null && authorIds.has(id))) id = slugger.slug(name);
    usedIds.add(id);
    heading.properties.id = id;
    addHeadingLink(heading, id, title);
    if (depth >= 2 && depth <= 4 && title)
      context.headings.push({ depth: depth as 2 | 3 | 4, id, text: title });
  }
}

/** Uses `{#id}` at the end of a heading as its id, as Docusaurus, Hugo and kramdown do. */
function takeWrittenId(heading: Element): void {
  const last = heading.children.at(-1);
  const match =
    last?.type === "text" && /(?<!\s)\s*\{#([\w:.-]+)(?:\s[^{}]*)?\}\s*$/.exec(last.value);
  if (!match) return;
  last.value = last.value.slice(0, match.index);
  heading.properties.id ??= match[1]!;
}

function addHeadingLink(heading: Element, id: string, title: string): void {
  if (containsLink(heading)) {
    // Otherwise the name of the heading would include the name of the anchor.
    if (title) heading.properties.ariaLabel = title;
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

/**
 * Returns whether the node contains a link. A component counts as one, since it may contain a link.
 */
function containsLink(node: Node): boolean {
  if (isElement(node, "a") || isJsx(node)) return true;
  return "children" in node && node.children.some(containsLink);
}
