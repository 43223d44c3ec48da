// Converts tables: a plain one with a header row to GFM, any other to HTML.

import type { Conversion, HtmlRule } from "./html-rule.ts";
import { keepHtml } from "./kept-html.ts";

export const tableRule: HtmlRule = {
  matches: (element) => element.nodeName === "TABLE",
  replace: (table, _content, conversion) => `\n\n${formatTable(table, conversion)}\n\n`,
};

function formatTable(table: Element, conversion: Conversion): string {
  const rows = Array.from(table.getElementsByTagName("tr"));
  if (!isPlain(table, rows)) return keepHtml(table, conversion);
  const cells = rows.map((row) => cellsOf(row).map((cell) => formatCell(cell, conversion)));
  const width = Math.max(...cells.map(({ length }) => length));
  const line = (values: readonly string[]) =>
    `| ${Array.from({ length: width }, (_, index) => values[index] ?? "").join(" | ")} |`;
  const alignments = cellsOf(rows[0]!).map(alignmentOf);
  const [header, ...body] = cells;
  return [
    line(header!),
    line(Array.from({ length: width }, (_, index) => alignments[index] ?? "---")),
    ...body.map(line),
  ].join("\n");
}

const cellsOf = (row: Element) =>
  Array.from(row.childNodes).filter(
    ({ nodeName }) => nodeName === "TD" || nodeName === "TH",
  ) as Element[];

/** GFM tables have a header row, and cells without blocks that span nothing. */
function isPlain(table: Element, rows: readonly Element[]): boolean {
  const [first] = rows;
  if (!first || cellsOf(first).length === 0) return false;
  const hasHeader =
    cellsOf(first).every(({ nodeName }) => nodeName === "TH") ||
    first.parentNode?.nodeName === "THEAD";
  if (!hasHeader || table.getElementsByTagName("caption").length > 0) return false;
  const cells = rows.flatMap(cellsOf);
  return cells.every(
    (cell) =>
      !cell.hasAttribute("colspan") &&
      !cell.hasAttribute("rowspan") &&
      !/<(?:ul|ol|pre|table|blockquote|h[1-6]|figure|hr|iframe|video)\b/i.test(cell.innerHTML),
  );
}

const formatCell = (cell: Element, { convert }: Conversion) =>
  // Text is escaped already; a pipe in code is not.
  convert(cell)
    .replace(/(?<!\\)\|/g, "\\|")
    .replace(/\\\n/g, "<br />")
    .replace(/\n+/g, "<br />");

function alignmentOf(cell: Element): string {
  const value =
    cell.getAttribute("align") ??
    /text-align:\s*(\w+)/.exec(cell.getAttribute("style") ?? "")?.[1] ??
    /has-text-align-(\w+)/.exec(cell.getAttribute("class") ?? "")?.[1];
  return value === "center" ? ":---:" : value === "right" ? "---:" : "---";
}
