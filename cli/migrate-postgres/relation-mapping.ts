// Maps a relation of the replication stream to the migration's tables and columns.

import { AppError } from "#lib/core/errors.ts";
import { quoteIdentifier } from "#lib/core/quote-identifier.ts";
import type { RowPatch } from "./change-applier.ts";
import { convertText } from "./convert-values.ts";
import type { MigrationOptions } from "./options.ts";
import type { Relation, TupleData } from "./pgoutput.ts";
import type { Row, SqliteValue, TableMapping } from "./table-mapping.ts";

export interface TupleDecoder {
  readonly table: TableMapping;
  decodeRow(tuple: TupleData): Row;
  /** Values that the source did not send, because they are unchanged, are undefined. */
  decodePatch(tuple: TupleData): RowPatch;
  decodeKey(tuple: TupleData): SqliteValue[];
}

/**
 * Returns a decoder for each table that the relation feeds. Throws AppError(conflict) if a column
 * was added or dropped since the copy, or if the stream no longer identifies changed rows.
 */
export function mapRelation(
  relation: Relation,
  { tables, options }: { tables: readonly TableMapping[]; options: MigrationOptions },
): TupleDecoder[] {
  const targets = tables.filter(
    ({ schema, source }) => schema === relation.schema && source === relation.name,
  );
  const mappedColumns = new Set(targets.flatMap(({ columns }) => columns.map(({ name }) => name)));
  const addedColumn = relation.columns.find((name) => !mappedColumns.has(name));
  if (addedColumn !== undefined && options.unknown !== "drop")
    throw new AppError(
      "conflict",
      `${relation.name} has a column ${addedColumn} that was added after the copy. Abort, then copy again.`,
    );
  const missingKeyColumn = targets
    .flatMap(({ key }) => key)
    .find((name) => !relation.keyColumns.includes(name));
  if (missingKeyColumn !== undefined)
    throw new AppError(
      "conflict",
      `${relation.name}: the source no longer sends the key of changed rows (REPLICA IDENTITY). ALTER TABLE ${quoteIdentifier(relation.name)} REPLICA IDENTITY DEFAULT; then abort, and copy again.`,
    );
  return targets.map((table) => createTupleDecoder(table, relation));
}

function createTupleDecoder(table: TableMapping, { columns }: Relation): TupleDecoder {
  const positions = table.columns.map(({ name }) => {
    const position = columns.indexOf(name);
    if (position < 0)
      throw new AppError(
        "conflict",
        `${table.source} lost its column ${name} after the copy. Abort, then copy again.`,
      );
    return position;
  });
  const keyColumns = table.key.map((name) => {
    const i = table.columns.findIndex((column) => column.name === name);
    return { column: table.columns[i]!, position: positions[i]! };
  });
  return {
    table,
    decodeRow: (tuple) =>
      table.columns.map((column, i) => {
        const text = tuple[positions[i]!];
        if (text === undefined)
          throw new AppError(
            "conflict",
            `${table.source}: the stream sent an incomplete row. Abort, then copy again.`,
          );
        return convertText(column, text);
      }),
    decodePatch: (tuple) =>
      table.columns.map((column, i) => {
        const text = tuple[positions[i]!];
        return text === undefined ? undefined : convertText(column, text);
      }),
    decodeKey: (tuple) =>
      keyColumns.map(({ column, position }) => convertText(column, tuple[position] ?? null)),
  };
}
