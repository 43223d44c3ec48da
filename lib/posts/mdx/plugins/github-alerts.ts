// Converts GitHub's alerts, `> [!NOTE]`, to callouts.

import type { Blockquote, Root } from "mdast";
import { visit } from "unist-util-visit";
import { makeCallout } from "./callouts.ts";

/** Converts block quotes that start with an alert to `<aside class="callout …">`. */
export function convertAlerts(tree: Root): void {
  visit(tree, "blockquote", (quote: Blockquote) => {
    const first = quote.children[0];
    const marker = first?.type === "paragraph" ? first.children[0] : undefined;
    if (first?.type !== "paragraph" || marker?.type !== "text") return;
    const match = /^\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\][ \t]*(?:\r?\n|$)/i.exec(marker.value);
    if (!match) return;
    marker.value = marker.value.slice(match[0].length);
    if (marker.value === "") first.children.shift();
    if (first.children[0]?.type === "break") first.children.shift();
    if (first.children.length === 0) quote.children.shift();
    makeCallout(quote, match[1]!.toLowerCase());
  });
}
