// Reduces HTML to plain text on one line.

import { fromHtml } from "hast-util-from-html";
import { toString } from "mdast-util-to-string";

/** Returns the text of `html` without tags, references and line breaks. */
export function htmlToPlainText(html: string): string {
  return toString(fromHtml(html, { fragment: true }))
    .replace(/\s+/g, " ")
    .trim();
}

/** Returns at most `max` characters, cut at a word. */
export function shorten(text: string, max: number): string {
  if (text.length <= max) return text;
  const cut = text.slice(0, max - 1);
  return `${cut
    .slice(0, Math.max(cut.lastIndexOf(" "), max / 2))
    .toWellFormed()
    .trimEnd()}…`;
}
