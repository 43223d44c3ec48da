// Shortens the URLs that GFM finds in text, so that they end before characters that a URL can
// contain only encoded.

import type { Link, Root } from "mdast";
import { visit } from "unist-util-visit";

/** CJK and full-width punctuation, quotation marks, dashes and an ellipsis. */
const NOT_IN_URL =
  "\\u3000-\\u303f\\uff01-\\uff0f\\uff1a-\\uff20\\uff3b-\\uff40\\uff5b-\\uff65“”‘’«»—…";
const AFTER_URL = new RegExp(`[${NOT_IN_URL}].*$`, "su");
const URL_IN_TEXT = new RegExp(`(https?://[^${NOT_IN_URL}]+)`, "iu");

const createLink = (url: string): Link => ({
  type: "link",
  url,
  children: [{ type: "text", value: url }],
});

/** Shortens bare URLs. Leaves `<url>` and `[url](url)` unchanged. */
export function trimAutolinks(tree: Root): void {
  visit(tree, "link", (link, index, parent) => {
    const [text] = link.children;
    const { start, end } = link.position ?? {};
    if (text?.type !== "text" || !start || !end) return;
    const isWrittenAsIs = text.value.length === end.offset! - start.offset!;
    const rest = isWrittenAsIs ? AFTER_URL.exec(text.value)?.[0] : undefined;
    if (rest === undefined) return;
    text.value = text.value.slice(0, -rest.length);
    link.url = link.url.slice(0, -rest.length);
    const nodes = rest
      .split(URL_IN_TEXT)
      .map((part, i) => (i % 2 === 1 ? createLink(part) : { type: "text", value: part }));
    parent!.children.splice(index! + 1, 0, ...(nodes as never[]));
  });
}
