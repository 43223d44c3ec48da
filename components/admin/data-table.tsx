// Renders rows as a table that scrolls horizontally, also by keyboard. On a phone, each row is a
// block with the names of its columns; see admin.css.

import type { ReactNode } from "react";

export interface Column<Row> {
  readonly label: string;
  readonly render: (row: Row) => ReactNode;
  /** The class of its cells. */
  readonly kind?: string | undefined;
  /** If set, a link that sorts by this column. */
  readonly sortHref?: string;
  /** Set if the rows are sorted by this column. */
  readonly sorted?: "ascending" | "descending" | undefined;
  /** For columns of buttons, whose text is label enough. */
  readonly isLabelHidden?: boolean;
}

function HeaderCell<Row>({ column }: { column: Column<Row> }) {
  const { label, kind, sortHref, sorted, isLabelHidden } = column;
  return (
    <th scope="col" className={kind === "number" ? kind : undefined} aria-sort={sorted}>
      {sortHref ? (
        <a href={sortHref}>{label}</a>
      ) : (
        <span className={isLabelHidden ? "visually-hidden" : undefined}>{label}</span>
      )}
    </th>
  );
}

/** The first column names the row. `label` names the table for screen readers. */
export function DataTable<Row>({
  label,
  columns: [nameColumn, ...columns],
  rows,
  keyOf,
  rowClass,
}: {
  label: string;
  columns: readonly [Column<Row>, ...Column<Row>[]];
  rows: readonly Row[];
  keyOf: (row: Row) => string | number;
  rowClass?: (row: Row) => string | undefined;
}) {
  return (
    <div className="table-frame" role="region" aria-label={label} tabIndex={0}>
      <table className="table">
        <thead>
          <tr>
            {[nameColumn, ...columns].map((column) => (
              <HeaderCell key={column.label} column={column} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)} className={rowClass?.(row)}>
              <th scope="row" className={nameColumn.kind}>
                {nameColumn.render(row)}
              </th>
              {columns.map(({ label, kind, render, isLabelHidden }) => (
                <td key={label} className={kind} data-label={isLabelHidden ? undefined : label}>
                  {render(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
