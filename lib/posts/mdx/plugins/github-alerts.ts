// Converts GitHub's alerts, `> [!NOTE]`, to callouts.

import type { Blockquote, Root } from "mdast";
import { visit } from "unist-util-visit";
import { calloutProperties } from "./callouts.ts";

const alerts: Record<string, { kind: string; title: string; classes: string[] }> = {
  NOTE: { kind: "info", title: "Note", classes: [] },
  TIP: { kind: "success", title: "Tip", classes: [] },
  IMPORTANT: { kind: "info", title: "Important", classes: ["important"] },
  WARNING: { kind: "warning", title: "Warning", classes: [] },
  CAUTION: { kind: "danger", title: "Caution", classes: [] },
};

/** Converts block quotes that start with an alert to `<aside class="callout …">`. */
export function convertAlerts(tree: Root): void {
  visit(tree, "blockquote", (quote: Blockquote) => {
    const first = quote.children[0];
    const marker = first?.type === "paragraph" ? first.children[0] : undefined;
    if (first?.type !== "paragraph" || marker?.type !== "text") return;
    const match = /^\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\][ \t]*(?:\r?\n|$)/i.exec(marker.value);
    if (!match) return;
    const alert = alerts[match[1]!.toUpperCase()]!;
    marker.value = marker.value.slice(match[0].length);
    if (marker.value === "") first.children.shift();
    if (first.children[0]?.type === "break") first.children.shift();
    if (first.children.length === 0) quote.children.shift();
    quote.children.unshift({
      type: "paragraph",
      children: [{ type: "text", value: alert.title }],
      data: { hProperties: { className: ["callout-title"] } },
    });
    quote.data = {
      ...quote.data,
      hName: "aside",
      hProperties: calloutProperties(alert.kind, alert.title, alert.classes) as never,
    };
  });
}
