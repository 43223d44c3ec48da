// Counts the rows that the target's constraints reject and the dates that lose microseconds, in one
// scan per table in PostgreSQL.

import type pg from "pg";
import { quoteIdentifier } from "#lib/core/quote-identifier.ts";
import { missingParentReason } from "./convert-values.ts";
import type { MigrationOptions } from "./options.ts";
import { type PlanIssue, createChoice, createNote } from "./plan-issue.ts";
import { pluralize, quoteName } from "./plan-text.ts";
import { QUARANTINE_TABLE } from "./quarantine.ts";
import { SCAN_TIMEOUT_MS, readRows } from "./source-connection.ts";
import { canonicalSql, qualifiedSourceName } from "./source-sql.ts";
import type { TableMapping } from "./table-mapping.ts";

/** How many keys are listed per reason. */
const MAX_EXAMPLES = 3;

/** A reason with the wording of findInvalidReason (convert-values.ts), and its SQL condition. */
interface RowRule {
  readonly reason: string;
  /** True if the rule also rejects the rows of an invalid user. */
  readonly isMissingParent?: boolean;
  readonly sql: string;
}

export interface RowCounts {
  readonly rows: number;
  /** Rows that the target's constraints reject, by their first reason. */
  readonly invalid: readonly (Omit<RowRule, "sql"> & {
    readonly rows: number;
    readonly keys: readonly string[];
  })[];
  /** Rows whose dates are floored to the millisecond, by column. */
  readonly floored: readonly { readonly column: string; readonly rows: number }[];
}

/**
 * Lists the rules in the order of findInvalidReason: the first rule that matches is a row's reason.
 */
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
        reason: `${name} is not one of ${allowed.join(", ")}`,
        sql: `${column}::text NOT IN (${allowed.map((label) => `'${label}'`).join(", ")})`,
      });
    } else if (name === "postSlug" && target === "PostRead") {
      rules.push({ reason: "postSlug is empty", sql: `${column}::text = ''` });
    }
    return rules;
  });
}

/** Returns SQL for the number of the first rule that matches a row, or NULL. */
function reasonSql(rules: readonly RowRule[]): string {
  return rules.length === 0
    ? "NULL::int"
    : `CASE ${rules.map(({ sql }, i) => `WHEN ${sql} THEN ${i}`).join(" ")} END`;
}

const PARENT_ID_ALIAS = quoteIdentifier("valid parent id");

/** Adds, for tables with "userId", the rule that the user must exist and be valid. */
function selectRuledRows(
  table: TableMapping,
  parent: TableMapping | null,
): { rules: RowRule[]; from: string } {
  const rules = listRowRules(table);
  const hasParent =
    parent !== null &&
    table.target !== parent.target &&
    table.columns.some(({ name }) => name === "userId");
  if (!hasParent) return { rules, from: qualifiedSourceName(table) };
  rules.push({
    reason: missingParentReason(parent.target),
    isMissingParent: true,
    sql: `"userId" IS NOT NULL AND ${PARENT_ID_ALIAS} IS NULL`,
  });
  const validParents = `SELECT "id"::text AS ${PARENT_ID_ALIAS} FROM ${qualifiedSourceName(parent)} WHERE ${reasonSql(listRowRules(parent))} IS NULL`;
  return {
    rules,
    from: `${qualifiedSourceName(table)} LEFT JOIN (${validParents}) AS parents ON ${PARENT_ID_ALIAS} = "userId"::text`,
  };
}

/**
 * Counts the rows of a known table that the transaction of `client` sees. `parent` is the mapping
 * of User, or null if it cannot be read. The counts match what a copy quarantines.
 */
export async function countInvalidRows(
  client: pg.Client,
  table: TableMapping,
  parent: TableMapping | null,
): Promise<RowCounts> {
  const { rules, from } = selectRuledRows(table, parent);
  const microColumns = table.columns.filter(({ hasMicros }) => hasMicros);
  const counts = [
    "count(*)::text AS rows",
    ...rules.map((_, i) => `(count(*) FILTER (WHERE reason = ${i}))::text AS r${i}`),
    ...microColumns.map((_, i) => `(count(*) FILTER (WHERE f${i}))::text AS f${i}`),
  ];
  const floors = microColumns.map(
    ({ name }, i) =>
      `, isfinite(${quoteIdentifier(name)}) AND ${quoteIdentifier(name)} <> date_trunc('milliseconds', ${quoteIdentifier(name)}) AS f${i}`,
  );
  const scan = { ms: SCAN_TIMEOUT_MS };
  const [row] = await readRows(
    client,
    `SELECT ${counts.join(", ")} FROM (SELECT ${reasonSql(rules)} AS reason${floors.join("")} FROM ${from}) AS ruled`,
    [],
    scan,
  );
  const invalid: RowCounts["invalid"][number][] = [];
  for (const [i, { sql: _, ...rule }] of rules.entries()) {
    const rows = Number(row![`r${i}`]);
    if (rows === 0) continue;
    // The key itself may be null, which is one of the reasons.
    const keySql = table.key
      .map((name) => canonicalSql(table.columns.find((column) => column.name === name)!))
      .map((text) => `COALESCE(${text}, '(null)')`)
      .join(" || ' ' || ");
    const examples = await readRows<{ key: string }>(
      client,
      `SELECT ${keySql} AS key FROM ${from} WHERE ${reasonSql(rules)} = ${i} LIMIT ${MAX_EXAMPLES}`,
      [],
      scan,
    );
    invalid.push({ ...rule, rows, keys: examples.map(({ key }) => key) });
  }
  return {
    rows: Number(row!.rows),
    invalid,
    floored: microColumns
      .map(({ name }, i) => ({ column: name, rows: Number(row![`f${i}`]) }))
      .filter(({ rows }) => rows > 0),
  };
}

export async function countAllRows(client: pg.Client, table: TableMapping): Promise<number> {
  const [row] = await readRows<{ rows: string }>(
    client,
    `SELECT count(*)::text AS rows FROM ${qualifiedSourceName(table)}`,
    [],
    { ms: SCAN_TIMEOUT_MS },
  );
  return Number(row!.rows);
}

/** Returns the issues with a table's rows. */
export function checkRows(
  { source }: TableMapping,
  { invalid, floored }: RowCounts,
  { invalidRows }: MigrationOptions,
): PlanIssue[] {
  const rejected = invalid.map(({ reason, isMissingParent, rows, keys }) => {
    const detail = isMissingParent ? `${reason}, or is invalid itself` : reason;
    const hint =
      source === "Session"
        ? ` Session ids appear as encode(sha256("id"::text::bytea), 'hex').`
        : "";
    const label = rows > keys.length ? "Some of the keys" : rows === 1 ? "Its key" : "The keys";
    const text = `${pluralize(rows, "row")} of ${source} ${rows === 1 ? "is" : "are"} invalid here: ${detail}.${hint} ${label}: ${keys.map(quoteName).join(", ")}.`;
    if (invalidRows === "quarantine")
      return createNote(
        "rows",
        `${text} Kept in the table ${QUARANTINE_TABLE} (--invalid-rows quarantine).`,
      );
    const them = rows === 1 ? "it" : "them";
    return createChoice(
      "rows",
      text,
      `Repair ${them} in the source site; or --invalid-rows quarantine keeps ${them} in the table ${QUARANTINE_TABLE}.`,
    );
  });
  return [
    ...rejected,
    ...floored.map(({ column, rows }) =>
      createNote(
        "values",
        `${source}.${column}: ${pluralize(rows, "row")} ${rows === 1 ? "has" : "have"} microseconds. They are floored to milliseconds.`,
      ),
    ),
  ];
}
