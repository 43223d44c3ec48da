// Counts in Postgres, one pass over each table, which rows the target's rules refuse, and what is floored.

import type pg from "pg";
import { ask } from "./checksums.ts";
import { canonicalSql } from "./convert.ts";
import { type Finding, choice, counted, note, shown } from "./finding.ts";
import { ASIDE_TABLE, type Choices, type MoveTable, quoted, sourceName } from "./move.ts";
import { readRows } from "./source.ts";

/** The bound of one pass: a table of five million rows takes some seconds. */
const PASS_MS = 1_800_000;
/** How many keys of a reason are told. */
const EXAMPLES = 3;

/** Why rows are refused, in findUnfit's words (convert.ts, which decides), and the SQL that is true of them. */
interface Rule {
  readonly why: string;
  readonly sql: string;
}

export interface CountedTable {
  readonly rows: number;
  /** Rows that the target's rules refuse, by their first reason. */
  readonly unfit: readonly {
    readonly why: string;
    readonly rows: number;
    readonly keys: readonly string[];
  }[];
  /** Rows whose dates are floored to the millisecond, by column. */
  readonly floored: readonly { readonly column: string; readonly rows: number }[];
}

/** The rules in findUnfit's order: the first that is true of a row is its reason. */
function rulesOf({ columns, target }: MoveTable): Rule[] {
  return columns.flatMap(({ name, as, isNullable, allowed }) => {
    const column = quoted(name);
    const rules: Rule[] = isNullable ? [] : [{ why: `${name} is null`, sql: `${column} IS NULL` }];
    if (as === "date") {
      rules.push(
        { why: `${name} is infinite`, sql: `NOT isfinite(${column})` },
        {
          why: `${name} is not in the years 1 to 9999`,
          sql: `${column} < '0001-01-01' OR ${column} >= '10000-01-01'`,
        },
      );
    } else if (allowed) {
      rules.push({
        why: `${name} is none of ${allowed.join(", ")}`,
        sql: `${column}::text NOT IN (${allowed.map((label) => `'${label}'`).join(", ")})`,
      });
    } else if (name === "postSlug" && target === "PostRead") {
      rules.push({ why: "postSlug is empty", sql: `${column}::text = ''` });
    }
    return rules;
  });
}

/** The number of the first rule that is true of a row; null where none is. */
function reasonSql(rules: readonly Rule[]): string {
  return rules.length === 0
    ? "NULL::int"
    : `CASE ${rules.map(({ sql }, i) => `WHEN ${sql} THEN ${i}`).join(" ")} END`;
}

/** Whom rows point at by "userId" (prisma/schema.prisma), with the ids of those that the target takes. */
const PARENT_ID = quoted("parent of the move");

function ruledRows(table: MoveTable, parent: MoveTable | null): { rules: Rule[]; from: string } {
  const rules = rulesOf(table);
  const pointsAt =
    parent !== null &&
    table.target !== parent.target &&
    table.columns.some(({ name }) => name === "userId");
  if (!pointsAt) return { rules, from: sourceName(table) };
  rules.push({
    why: `its ${parent.target} is not there`,
    sql: `"userId" IS NOT NULL AND ${PARENT_ID} IS NULL`,
  });
  const parents = `SELECT ${quoted("id")}::text AS ${PARENT_ID} FROM ${sourceName(parent)} WHERE ${reasonSql(rulesOf(parent))} IS NULL`;
  return {
    rules,
    from: `${sourceName(table)} LEFT JOIN (${parents}) AS parents ON ${PARENT_ID} = "userId"::text`,
  };
}

/** What `client`'s transaction sees of a known table. `parent` is User's, null where that can't be looked at. Agrees with findUnfit and what a copy puts aside. */
export async function countRows(
  client: pg.Client,
  table: MoveTable,
  parent: MoveTable | null,
): Promise<CountedTable> {
  const { rules, from } = ruledRows(table, parent);
  const fine = table.columns.filter(({ hasMicros }) => hasMicros);
  const counts = [
    "count(*)::text AS rows",
    ...rules.map((_, i) => `(count(*) FILTER (WHERE reason = ${i}))::text AS r${i}`),
    ...fine.map((_, i) => `(count(*) FILTER (WHERE f${i}))::text AS f${i}`),
  ];
  const floors = fine.map(
    ({ name }, i) =>
      `, isfinite(${quoted(name)}) AND ${quoted(name)} <> date_trunc('milliseconds', ${quoted(name)}) AS f${i}`,
  );
  const [row] = await ask(
    client,
    () =>
      readRows(
        client,
        `SELECT ${counts.join(", ")} FROM (SELECT ${reasonSql(rules)} AS reason${floors.join("")} FROM ${from}) AS ruled`,
        [],
        { ms: PASS_MS },
      ),
    { ms: PASS_MS },
  );
  const unfit: { why: string; rows: number; keys: string[] }[] = [];
  for (const [i, { why }] of rules.entries()) {
    const rows = Number(row![`r${i}`]);
    if (rows === 0) continue;
    const key = table.key.map((name) =>
      canonicalSql(table.columns.find((column) => column.name === name)!),
    );
    // A key that is null is a reason, too.
    const sql = `SELECT ${key.map((text) => `COALESCE(${text}, '(null)')`).join(" || ' ' || ")} AS key FROM ${from} WHERE ${reasonSql(rules)} = ${i} LIMIT ${EXAMPLES}`;
    unfit.push({
      why,
      rows,
      keys: (
        await ask(client, () => readRows<{ key: string }>(client, sql, [], { ms: PASS_MS }), {
          ms: PASS_MS,
        })
      ).map(({ key: one }) => one),
    });
  }
  return {
    rows: Number(row!.rows),
    unfit,
    floored: fine
      .map(({ name }, i) => ({ column: name, rows: Number(row![`f${i}`]) }))
      .filter(({ rows }) => rows > 0),
  };
}

/** The number of rows alone. */
export async function countAll(client: pg.Client, table: MoveTable): Promise<number> {
  const [row] = await ask(
    client,
    () =>
      readRows<{ rows: string }>(
        client,
        `SELECT count(*)::text AS rows FROM ${sourceName(table)}`,
        [],
        { ms: PASS_MS },
      ),
    { ms: PASS_MS },
  );
  return Number(row!.rows);
}

/** What there is to say of a table's rows. */
export function judgeRows(
  { source }: MoveTable,
  { unfit, floored }: CountedTable,
  { unfit: chosen }: Choices,
): Finding[] {
  const findings = unfit.map(({ why, rows, keys }) => {
    const isOrphaned = why.endsWith(" is not there");
    const text = `${counted(rows, "row")} of ${source} can't be taken as ${rows === 1 ? "it is" : "they are"}: ${why}${isOrphaned ? ", or can't be taken itself" : ""}. ${source === "Session" ? `Ids of sessions are told as encode(sha256("id"::text::bytea), 'hex'). ` : ""}${rows > keys.length ? "Some of the keys" : rows === 1 ? "Its key" : "The keys"}: ${keys.map(shown).join(", ")}.`;
    if (chosen === "aside")
      return note("rows", `${text} Kept, whole, in the table ${ASIDE_TABLE} (--unfit aside).`);
    return choice(
      "rows",
      text,
      `Mend ${rows === 1 ? "it" : "them"} in the old site; or --unfit aside keeps ${rows === 1 ? "it" : "them"}, whole, in the table ${ASIDE_TABLE}.`,
    );
  });
  return [
    ...findings,
    ...floored.map(({ column, rows }) =>
      note(
        "values",
        `${source}.${column}: ${counted(rows, "row")} ${rows === 1 ? "has" : "have"} microseconds. What is below a millisecond is cut off.`,
      ),
    ),
  ];
}
