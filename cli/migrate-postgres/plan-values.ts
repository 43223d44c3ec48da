// What becomes of values on the way, of members' addresses and of their sessions.

import type pg from "pg";
import { withSourceDeadline } from "./table-checksums.ts";
import { type PlanIssue, pluralize, joinNames, createNote, createBlocker } from "./plan-issue.ts";
import { type TableMapping, quoteIdentifier, qualifiedSourceName } from "./table-mapping.ts";
import type { RowCounts } from "./plan-rows.ts";
import type { SelectedTable } from "./plan-tables.ts";
import { readRows } from "./source-connection.ts";

/** What is converted wherever it stands, by the types of the columns. */
export function noteConversions(
  chosen: readonly SelectedTable[],
  counts: ReadonlyMap<string, RowCounts>,
): PlanIssue[] {
  const columns = chosen
    .filter(({ table }) => !table.isSide)
    .flatMap(({ table, from }) =>
      table.columns.map((column) => ({
        table,
        column,
        found: from.columns.find(({ name }) => name === column.name)!,
        label: `${table.source}.${column.name}`,
      })),
    );
  const named = (select: (one: (typeof columns)[number]) => boolean) => columns.filter(select);
  const findings: PlanIssue[] = [];
  const dates = named(({ column }) => column.as === "date");
  if (dates.length > 0) {
    const isUnzoned = dates.some(({ found }) => found.type === "timestamp");
    findings.push(
      createNote(
        "values",
        `Dates become whole milliseconds since 1970.${isUnzoned ? " Those without a time zone are read as UTC, as Prisma writes them." : ""}`,
      ),
    );
  }
  for (const { label } of dates.filter(({ found }) => found.type === "date"))
    findings.push(
      createNote(
        "values",
        `${label} is a day without a time: it becomes the midnight, UTC, with which it begins.`,
      ),
    );
  const enums = named(({ found, column }) => found.isEnum && column.as === "text");
  if (enums.length > 0)
    findings.push(
      createNote("values", `Enums become text: ${joinNames(enums.map(({ label }) => label))}.`),
    );
  for (const { table, column, found, label } of enums) {
    const strange = column.allowed
      ? found.labels.filter((one) => !column.allowed!.includes(one))
      : [];
    const isUsed = counts
      .get(table.target)
      ?.invalid.some(({ why }) => why.startsWith(`${column.name} is none of`));
    if (strange.length > 0 && !isUsed)
      findings.push(
        createNote(
          "values",
          `${label} could be ${joinNames(strange)}, which this site does not know. No row is.`,
        ),
      );
  }
  const others = named(
    ({ found, column }) =>
      column.as !== "date" && !found.isEnum && !["text", "varchar"].includes(found.type),
  );
  if (others.length > 0)
    findings.push(
      createNote(
        "values",
        `These become text, as Postgres writes them: ${joinNames(others.map(({ label, found }) => `${label} (${found.declared})`))}.`,
      ),
    );
  return findings;
}

/** The bound of looking at every address. */
const SCAN_TIMEOUT_MS = 600_000;
const MAX_EXAMPLES = 3;

/**
 * Addresses that are the same, or the same but for the case of A to Z: what SQLite's NOCASE folds, by which a log-in looks (lib/members/sign-up.ts).
 * Tells ids, never addresses.
 */
export async function checkEmailAddresses(
  client: pg.Client,
  { table, from }: SelectedTable,
): Promise<PlanIssue[]> {
  const isUnique = from.uniques.some(
    ({ columns }) => columns.length === 1 && columns[0] === "email",
  );
  const findings: PlanIssue[] = [];
  if (!isUnique) {
    const same = await findDuplicateAddresses(client, table, `"email"::text COLLATE "C"`);
    if (same.groups > 0)
      findings.push(
        createBlocker(
          "members",
          `${pluralize(same.groups, "e-mail address", "e-mail addresses")} ${same.groups === 1 ? "belongs" : "belong"} to several members, ${pluralize(same.members, "account")} in all. ${same.examples}`,
          "Give each its own, or delete those that nobody uses, in the old site.",
        ),
      );
    else
      findings.push(
        createNote(
          "members",
          "Nothing in Postgres keeps two members from having one e-mail address. None have now; should it happen while the move goes on, it stops.",
          `CREATE UNIQUE INDEX ON ${qualifiedSourceName(table)} (${quoteIdentifier("email")});`,
        ),
      );
  }
  const alike = await findDuplicateAddresses(
    client,
    table,
    `lower("email"::text COLLATE "C")`,
    `count(DISTINCT "email"::text COLLATE "C") > 1`,
  );
  if (alike.groups > 0) {
    findings.push(
      createNote(
        "members",
        `${pluralize(alike.groups, "e-mail address", "e-mail addresses")} ${alike.groups === 1 ? "belongs" : "belong"} to several members who wrote ${alike.groups === 1 ? "it" : "them"} with other capitals, ${pluralize(alike.members, "account")} in all. All of them move. A log-in reaches who has the address in lower case, else the oldest. ${alike.examples}`,
      ),
    );
  }
  return findings;
}

async function findDuplicateAddresses(
  client: pg.Client,
  table: TableMapping,
  by: string,
  having = "count(*) > 1",
): Promise<{ groups: number; members: number; examples: string }> {
  const grouped = `SELECT ${by} AS address, count(*) AS members FROM ${qualifiedSourceName(table)} WHERE "email" IS NOT NULL GROUP BY 1 HAVING ${having}`;
  const [row] = await withSourceDeadline(
    client,
    () =>
      readRows<{ groups: string; members: string }>(
        client,
        `SELECT count(*)::text AS groups, COALESCE(sum(members), 0)::text AS members FROM (${grouped}) AS grouped`,
        [],
        { ms: SCAN_TIMEOUT_MS },
      ),
    { ms: SCAN_TIMEOUT_MS },
  );
  if (row!.groups === "0") return { groups: 0, members: 0, examples: "" };
  const sql = `SELECT (SELECT json_agg("id"::text ORDER BY "id"::text) FROM ${qualifiedSourceName(table)} WHERE ${by} = address)::text AS ids FROM (${grouped} ORDER BY 1 LIMIT ${MAX_EXAMPLES}) AS grouped`;
  const groups = (
    await withSourceDeadline(
      client,
      () => readRows<{ ids: string }>(client, sql, [], { ms: SCAN_TIMEOUT_MS }),
      {
        ms: SCAN_TIMEOUT_MS,
      },
    )
  ).map(({ ids }) => joinNames(JSON.parse(ids) as string[]));
  return {
    groups: Number(row!.groups),
    members: Number(row!.members),
    examples: `${groups.length === 1 ? "Their ids" : "Ids, for example"}: ${groups.join("; ")}.`,
  };
}

export interface PlannedSessions {
  readonly rows: number;
  /** Of these, those that are still good. */
  readonly open: number;
  readonly stayLoggedIn: boolean;
}

/** How many sessions move, and whether anybody stays logged in by them. */
export async function countSessions(
  client: pg.Client,
  { table }: SelectedTable,
  isOldCookieKnown: boolean,
): Promise<PlannedSessions> {
  const sql = `SELECT count(*)::text AS rows, (count(*) FILTER (WHERE "expirationDate" > now()))::text AS open FROM ${qualifiedSourceName(table)}`;
  const [row] = await withSourceDeadline(
    client,
    () => readRows<{ rows: string; open: string }>(client, sql, [], { ms: SCAN_TIMEOUT_MS }),
    { ms: SCAN_TIMEOUT_MS },
  );
  return { rows: Number(row!.rows), open: Number(row!.open), stayLoggedIn: isOldCookieKnown };
}

/** docs/decisions/024 */
export function checkSessions({ rows, open, stayLoggedIn }: PlannedSessions): PlanIssue[] {
  if (rows === 0) return [];
  const text = `${pluralize(rows, "session")}, ${open.toLocaleString("en-US")} of them not expired. Their ids are hashed on the way (SHA-256).`;
  if (stayLoggedIn)
    return [
      createNote(
        "members",
        `${text} Members stay logged in: OLD_COOKIE_SECRET is set.`,
        "Let OLD_SESSION_COOKIE and OLD_CLIENT_COOKIE name the old site's cookies, here and where the site runs.",
      ),
    ];
  return [
    createNote(
      "members",
      `${text} Members must log in again: this site can't read the old site's cookies.`,
      `To keep them logged in, set OLD_COOKIE_SECRET, OLD_SESSION_COOKIE and OLD_CLIENT_COOKIE (docs/decisions/024).`,
    ),
  ];
}
