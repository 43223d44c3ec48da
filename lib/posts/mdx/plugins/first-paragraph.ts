// Takes a description from a post's tree: the first paragraph of prose, as plain text.

import { isElement, type Root } from "#lib/posts/mdx/mdx-tree.ts";
import { truncateAtWord } from "#lib/core/truncate-at-word.ts";
import { toPlainText } from "./plain-text.ts";

/** About two lines of a search result. */
const MAX_CHARS = 200;

/**
 * Returns the first paragraph between the blocks of a post, at most 200 characters, or "".
 * Paragraphs in quotes, callouts, lists and components don't describe the post.
 */
export function findFirstParagraph(tree: Root): string {
  for (const node of tree.children) {
    if (!isElement(node, "p")) continue;
    const text = toPlainText({ type: "root", children: [node] }).replaceAll("\n", " ");
    if (/[\p{L}\p{N}]/u.test(text)) return truncateAtWord(text, MAX_CHARS);
  }
  return "";
}
