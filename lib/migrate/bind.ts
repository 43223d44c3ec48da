// Which of the move's tables a relation of the stream belongs to, and where its columns are.

import { AppError } from "../base/errors.ts";
import { fromText } from "./convert.ts";
import type { Changed } from "./apply.ts";
import { type Choices, type MoveTable, type Row, type Value, quoted } from "./move.ts";
import type { Relation, SentRow } from "./pgoutput.ts";

export interface Bound {
  readonly table: MoveTable;
  row(sent: SentRow): Row;
  /** undefined where a value was not sent, since it is as it was. */
  changed(sent: SentRow): Changed;
  key(sent: SentRow): Value[];
}

export interface Binding {
  readonly moves: readonly Bound[];
}

/** Throws AppError(conflict) where the relation has lost a column since the plan, or gained one that nobody chose to leave behind, and where changed rows can't be told any more. */
export function bindRelation(
  relation: Relation,
  { tables, choices }: { tables: readonly MoveTable[]; choices: Choices },
): Binding {
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
  const unnamed = moved.flatMap(({ key }) => key).find((name) => !relation.keys.includes(name));
  if (unnamed !== undefined)
    throw new AppError(
      "conflict",
      `${relation.name}: the source does not tell the key of changed rows any more (REPLICA IDENTITY). ALTER TABLE ${quoted(relation.name)} REPLICA IDENTITY DEFAULT; then abort, and copy again.`,
    );
  return { moves: moved.map((table) => bind(table, relation)) };
}

function bind(table: MoveTable, { columns }: Relation): Bound {
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
    row: (sent) =>
      table.columns.map((column, i) => {
        const text = sent[places[i]!];
        if (text === undefined)
          throw new AppError(
            "conflict",
            `${table.source}: a value did not come whole. Abort, and copy again.`,
          );
        return fromText(column, text);
      }),
    changed: (sent) =>
      table.columns.map((column, i) => {
        const text = sent[places[i]!];
        return text === undefined ? undefined : fromText(column, text);
      }),
    key: (sent) => keys.map(({ column, at }) => fromText(column, sent[at] ?? null)),
  };
}
