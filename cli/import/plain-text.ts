// Reduces HTML to plain text on one line.

import { fromHtml } from "hast-util-from-html";
import { toString } from "mdast-util-to-string";

/** Returns the text of `html` without tags, references and line breaks. */
export function htmlToPlainText(html: string): string {
  return toString(fromHtml(html, { fragment: true }))
    .replace(/\s+/g, " ")
    .trim();
}
