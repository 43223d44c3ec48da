// Counts in Postgres, one pass over each table, which rows the target's rules refuse, and what is floored.

import type pg from "pg";
import { withSourceDeadline } from "./table-checksums.ts";
import { canonicalSql } from "./convert-values.ts";
import { type PlanIssue, createChoice, pluralize, createNote, quoteName } from "./plan-issue.ts";
import {
  QUARANTINE_TABLE,
  type MigrationOptions,
  type TableMapping,
  quoteIdentifier,
  qualifiedSourceName,
} from "./table-mapping.ts";
import { readRows } from "./source-connection.ts";

/** The bound of one pass: a table of five million rows takes some seconds. */
const SCAN_TIMEOUT_MS = 1_800_000;
/** How many keys of a reason are told. */
const MAX_EXAMPLES = 3;

/** Why rows are refused, in findUnfit's words (convert.ts, which decides), and the SQL that is true of them. */
interface RowRule {
  readonly reason: string;
  readonly sql: string;
}

export interface RowCounts {
  readonly rows: number;
  /** Rows that the target's rules refuse, by their first reason. */
  readonly invalid: readonly {
    readonly why: string;
    readonly rows: number;
    readonly keys: readonly string[];
  }[];
  /** Rows whose dates are floored to the millisecond, by column. */
  readonly floored: readonly { readonly column: string; readonly rows: number }[];
}

/** The rules in findUnfit's order: the first that is true of a row is its reason. */
function listRowRules({ columns, target }: TableMapping): RowRule[] {
  return columns.flatMap(({ name, as, isNullable, allowed }) => {
    const column = quoteIdentifier(name);
    const rules: RowRule[] = isNullable
      ? []
      : [{ reason: `${name} is null`, sql: `${column} IS NULL` }];
    if (as === "date") {
      rules.push(
        { reason: `${name} is infinite`, sql: `NOT isfinite(${column})` },
        {
          reason: `${name} is not in the years 1 to 9999`,
          sql: `${column} < '0001-01-01' OR ${column} >= '10000-01-01'`,
        },
      );
    } else if (allowed) {
      rules.push({
        reason: `${name} is none of ${allowed.join(", ")}`,
        sql: `${column}::text NOT IN (${allowed.map((label) => `'${label}'`).join(", ")})`,
      });
    } else if (name === "postSlug" && target === "PostRead") {
      rules.push({ reason: "postSlug is empty", sql: `${column}::text = ''` });
    }
    return rules;
  });
}

/** The number of the first rule that is true of a row; null where none is. */
function reasonSql(rules: readonly RowRule[]): string {
  return rules.length === 0
    ? "NULL::int"
    : `CASE ${rules.map(({ sql }, i) => `WHEN ${sql} THEN ${i}`).join(" ")} END`;
}

/** Whom rows point at by "userId" (prisma/schema.prisma), with the ids of those that the target takes. */
const PARENT_ID_ALIAS = quoteIdentifier("parent of the move");

function selectRuledRows(
  table: TableMapping,
  parent: TableMapping | null,
): { rules: RowRule[]; from: string } {
  const rules = listRowRules(table);
  const pointsAt =
    parent !== null &&
    table.target !== parent.target &&
    table.columns.some(({ name }) => name === "userId");
  if (!pointsAt) return { rules, from: qualifiedSourceName(table) };
  rules.push({
    reason: `its ${parent.target} is not there`,
    sql: `"userId" IS NOT NULL AND ${PARENT_ID_ALIAS} IS NULL`,
  });
  const parents = `SELECT ${quoteIdentifier("id")}::text AS ${PARENT_ID_ALIAS} FROM ${qualifiedSourceName(parent)} WHERE ${reasonSql(listRowRules(parent))} IS NULL`;
  return {
    rules,
    from: `${qualifiedSourceName(table)} LEFT JOIN (${parents}) AS parents ON ${PARENT_ID_ALIAS} = "userId"::text`,
  };
}

/** What `client`'s transaction sees of a known table. `parent` is User's, null where that can't be looked at. Agrees with findUnfit and what a copy puts aside. */
export async function countInvalidRows(
  client: pg.Client,
  table: TableMapping,
  parent: TableMapping | null,
): Promise<RowCounts> {
  const { rules, from } = selectRuledRows(table, parent);
  const fine = table.columns.filter(({ hasMicros }) => hasMicros);
  const counts = [
    "count(*)::text AS rows",
    ...rules.map((_, i) => `(count(*) FILTER (WHERE reason = ${i}))::text AS r${i}`),
    ...fine.map((_, i) => `(count(*) FILTER (WHERE f${i}))::text AS f${i}`),
  ];
  const floors = fine.map(
    ({ name }, i) =>
      `, isfinite(${quoteIdentifier(name)}) AND ${quoteIdentifier(name)} <> date_trunc('milliseconds', ${quoteIdentifier(name)}) AS f${i}`,
  );
  const [row] = await withSourceDeadline(
    client,
    () =>
      readRows(
        client,
        `SELECT ${counts.join(", ")} FROM (SELECT ${reasonSql(rules)} AS reason${floors.join("")} FROM ${from}) AS ruled`,
        [],
        { ms: SCAN_TIMEOUT_MS },
      ),
    { ms: SCAN_TIMEOUT_MS },
  );
  const unfit: { why: string; rows: number; keys: string[] }[] = [];
  for (const [i, { reason }] of rules.entries()) {
    const rows = Number(row![`r${i}`]);
    if (rows === 0) continue;
    const key = table.key.map((name) =>
      canonicalSql(table.columns.find((column) => column.name === name)!),
    );
    // A key that is null is a reason, too.
    const sql = `SELECT ${key.map((text) => `COALESCE(${text}, '(null)')`).join(" || ' ' || ")} AS key FROM ${from} WHERE ${reasonSql(rules)} = ${i} LIMIT ${MAX_EXAMPLES}`;
    unfit.push({
      why: reason,
      rows,
      keys: (
        await withSourceDeadline(
          client,
          () => readRows<{ key: string }>(client, sql, [], { ms: SCAN_TIMEOUT_MS }),
          {
            ms: SCAN_TIMEOUT_MS,
          },
        )
      ).map(({ key: one }) => one),
    });
  }
  return {
    rows: Number(row!.rows),
    invalid: unfit,
    floored: fine
      .map(({ name }, i) => ({ column: name, rows: Number(row![`f${i}`]) }))
      .filter(({ rows }) => rows > 0),
  };
}

/** The number of rows alone. */
export async function countAllRows(client: pg.Client, table: TableMapping): Promise<number> {
  const [row] = await withSourceDeadline(
    client,
    () =>
      readRows<{ rows: string }>(
        client,
        `SELECT count(*)::text AS rows FROM ${qualifiedSourceName(table)}`,
        [],
        { ms: SCAN_TIMEOUT_MS },
      ),
    { ms: SCAN_TIMEOUT_MS },
  );
  return Number(row!.rows);
}

/** What there is to say of a table's rows. */
export function checkRows(
  { source }: TableMapping,
  { invalid, floored }: RowCounts,
  { unfit: chosen }: MigrationOptions,
): PlanIssue[] {
  const findings = invalid.map(({ why, rows, keys }) => {
    const isOrphaned = why.endsWith(" is not there");
    const text = `${pluralize(rows, "row")} of ${source} can't be taken as ${rows === 1 ? "it is" : "they are"}: ${why}${isOrphaned ? ", or can't be taken itself" : ""}. ${source === "Session" ? `Ids of sessions are told as encode(sha256("id"::text::bytea), 'hex'). ` : ""}${rows > keys.length ? "Some of the keys" : rows === 1 ? "Its key" : "The keys"}: ${keys.map(quoteName).join(", ")}.`;
    if (chosen === "aside")
      return createNote(
        "rows",
        `${text} Kept, whole, in the table ${QUARANTINE_TABLE} (--unfit aside).`,
      );
    return createChoice(
      "rows",
      text,
      `Mend ${rows === 1 ? "it" : "them"} in the old site; or --unfit aside keeps ${rows === 1 ? "it" : "them"}, whole, in the table ${QUARANTINE_TABLE}.`,
    );
  });
  return [
    ...findings,
    ...floored.map(({ column, rows }) =>
      createNote(
        "values",
        `${source}.${column}: ${pluralize(rows, "row")} ${rows === 1 ? "has" : "have"} microseconds. What is below a millisecond is cut off.`,
      ),
    ),
  ];
}
