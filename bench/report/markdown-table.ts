// Renders Markdown tables.

type Cell = string | number | null | undefined;

export const cell = (value: Cell): string =>
  typeof value === "number" ? value.toLocaleString("en-US") : (value ?? "");

/** Returns a Markdown table whose first columns are left-aligned, the others right-aligned. */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  leftColumns = 1,
): string {
  const line = (cells: readonly Cell[]) => `| ${cells.map(cell).join(" | ")} |`;
  return [
    line(head),
    line(head.map((_, i) => (i < leftColumns ? "---" : "--:"))),
    ...rows.map(line),
  ].join("\n");
}

export const bold = (value: Cell): string => `**${cell(value)}**`;
