// Which of the move's tables a relation of the stream belongs to, and where its columns are.

import { AppError } from "#lib/core/errors.ts";
import { convertText } from "./convert-values.ts";
import type { RowPatch } from "./change-applier.ts";
import {
  type MigrationOptions,
  type TableMapping,
  type Row,
  type SqliteValue,
  quoteIdentifier,
} from "./table-mapping.ts";
import type { Relation, TupleData } from "./pgoutput.ts";

export interface TupleDecoder {
  readonly table: TableMapping;
  decodeRow(sent: TupleData): Row;
  /** undefined where a value was not sent, since it is as it was. */
  decodePatch(sent: TupleData): RowPatch;
  decodeKey(sent: TupleData): SqliteValue[];
}

export interface RelationMapping {
  readonly decoders: readonly TupleDecoder[];
}

/** Throws AppError(conflict) where the relation has lost a column since the plan, or gained one that nobody chose to leave behind, and where changed rows can't be told any more. */
export function mapRelation(
  relation: Relation,
  { tables, choices }: { tables: readonly TableMapping[]; choices: MigrationOptions },
): RelationMapping {
  const moved = tables.filter(
    ({ schema, source }) => schema === relation.schema && source === relation.name,
  );
  const known = new Set(moved.flatMap(({ columns }) => columns.map(({ name }) => name)));
  const gained = relation.columns.find((name) => !known.has(name));
  if (gained !== undefined && choices.unknown !== "drop")
    throw new AppError(
      "conflict",
      `${relation.name} has a column ${gained} that it did not have at the copy. Abort, and copy again.`,
    );
  const unnamed = moved
    .flatMap(({ key }) => key)
    .find((name) => !relation.keyColumns.includes(name));
  if (unnamed !== undefined)
    throw new AppError(
      "conflict",
      `${relation.name}: the source does not tell the key of changed rows any more (REPLICA IDENTITY). ALTER TABLE ${quoteIdentifier(relation.name)} REPLICA IDENTITY DEFAULT; then abort, and copy again.`,
    );
  return { decoders: moved.map((table) => createTupleDecoder(table, relation)) };
}

function createTupleDecoder(table: TableMapping, { columns }: Relation): TupleDecoder {
  const places = table.columns.map(({ name }) => {
    const at = columns.indexOf(name);
    if (at < 0)
      throw new AppError(
        "conflict",
        `${table.source} has lost its column ${name} since the copy. Abort, and copy again.`,
      );
    return at;
  });
  const keys = table.key.map((name) => {
    const i = table.columns.findIndex((column) => column.name === name);
    return { column: table.columns[i]!, at: places[i]! };
  });
  return {
    table,
    decodeRow: (sent) =>
      table.columns.map((column, i) => {
        const text = sent[places[i]!];
        if (text === undefined)
          throw new AppError(
            "conflict",
            `${table.source}: a value did not come whole. Abort, and copy again.`,
          );
        return convertText(column, text);
      }),
    decodePatch: (sent) =>
      table.columns.map((column, i) => {
        const text = sent[places[i]!];
        return text === undefined ? undefined : convertText(column, text);
      }),
    decodeKey: (sent) => keys.map(({ column, at }) => convertText(column, sent[at] ?? null)),
  };
}
