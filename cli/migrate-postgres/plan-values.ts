// Reports how values change, which members share an email address, and whether sessions stay valid.

import type pg from "pg";
import { type PlanIssue, createBlocker, createNote } from "./plan-issue.ts";
import type { RowCounts } from "./plan-rows.ts";
import type { SelectedTable } from "./plan-tables.ts";
import { joinNames, pluralize } from "./plan-text.ts";
import { SCAN_TIMEOUT_MS, readRows } from "./source-connection.ts";
import { qualifiedSourceName } from "./source-sql.ts";
import type { TableMapping } from "./table-mapping.ts";

/** Notes what is converted, by the types of the columns. */
export function noteConversions(
  selected: readonly SelectedTable[],
  counts: ReadonlyMap<string, RowCounts>,
): PlanIssue[] {
  const columns = selected
    .filter(({ table }) => !table.isSide)
    .flatMap(({ table, from }) =>
      table.columns.map((column) => ({
        table,
        column,
        catalog: from.columns.find(({ name }) => name === column.name)!,
        label: `${table.source}.${column.name}`,
      })),
    );
  const issues: PlanIssue[] = [];
  const dates = columns.filter(({ column }) => column.as === "date");
  if (dates.length > 0) {
    const isUnzoned = dates.some(({ catalog }) => catalog.type === "timestamp");
    issues.push(
      createNote(
        "values",
        `Dates become integer milliseconds since 1970.${isUnzoned ? " Dates without a time zone are read as UTC, as Prisma writes them." : ""}`,
      ),
    );
  }
  for (const { label } of dates.filter(({ catalog }) => catalog.type === "date"))
    issues.push(
      createNote("values", `${label} is a date without a time: it becomes midnight UTC.`),
    );
  const enums = columns.filter(({ catalog, column }) => catalog.isEnum && column.as === "text");
  if (enums.length > 0)
    issues.push(
      createNote("values", `Enums become text: ${joinNames(enums.map(({ label }) => label))}.`),
    );
  for (const { table, column, catalog, label } of enums) {
    const { allowed } = column;
    const unknownLabels = allowed ? catalog.labels.filter((one) => !allowed.includes(one)) : [];
    const isUsed = counts
      .get(table.target)
      ?.invalid.some(({ reason }) => reason.startsWith(`${column.name} is not one of`));
    if (unknownLabels.length > 0 && !isUsed)
      issues.push(
        createNote(
          "values",
          `${label} allows ${joinNames(unknownLabels)}, which this site does not know. No row uses it.`,
        ),
      );
  }
  const others = columns.filter(
    ({ catalog, column }) =>
      column.as !== "date" && !catalog.isEnum && !["text", "varchar"].includes(catalog.type),
  );
  if (others.length > 0)
    issues.push(
      createNote(
        "values",
        `These become text, as PostgreSQL formats them: ${joinNames(others.map(({ label, catalog }) => `${label} (${catalog.declared})`))}.`,
      ),
    );
  return issues;
}

const MAX_EXAMPLES = 3;

/**
 * Reports email addresses that several members share, exactly or except for the case of A to Z,
 * which NOCASE ignores at login (lib/members/sign-up.ts). Lists ids, never addresses.
 */
export async function checkEmailAddresses(
  client: pg.Client,
  { table, from }: SelectedTable,
): Promise<PlanIssue[]> {
  const isUnique = from.uniques.some(
    ({ columns }) => columns.length === 1 && columns[0] === "email",
  );
  const issues: PlanIssue[] = [];
  const countAddresses = (groups: number) =>
    `${pluralize(groups, "email address", "email addresses")} ${groups === 1 ? "belongs" : "belong"} to several members`;
  if (!isUnique) {
    const exact = await findDuplicateAddresses(client, table, `"email"::text COLLATE "C"`);
    issues.push(
      exact.groups > 0
        ? createBlocker(
            "members",
            `${countAddresses(exact.groups)}, ${pluralize(exact.members, "account")} in total. ${exact.examples}`,
            "Change or delete the duplicates in the source site.",
          )
        : createNote(
            "members",
            "PostgreSQL does not enforce unique email addresses. There are no duplicates now; one that is added later stops the migration.",
            `CREATE UNIQUE INDEX ON ${qualifiedSourceName(table)} ("email");`,
          ),
    );
  }
  const similar = await findDuplicateAddresses(
    client,
    table,
    `lower("email"::text COLLATE "C")`,
    `count(DISTINCT "email"::text COLLATE "C") > 1`,
  );
  if (similar.groups > 0)
    issues.push(
      createNote(
        "members",
        `${countAddresses(similar.groups)} in different case, ${pluralize(similar.members, "account")} in total. All are migrated. A login reaches the account in lower case, or else the oldest. ${similar.examples}`,
      ),
    );
  return issues;
}

async function findDuplicateAddresses(
  client: pg.Client,
  table: TableMapping,
  address: string,
  having = "count(*) > 1",
): Promise<{ groups: number; members: number; examples: string }> {
  const name = qualifiedSourceName(table);
  const scan = { ms: SCAN_TIMEOUT_MS };
  const grouped = `SELECT ${address} AS address, count(*) AS members FROM ${name} WHERE "email" IS NOT NULL GROUP BY 1 HAVING ${having}`;
  const [totals] = await readRows<{ groups: string; members: string }>(
    client,
    `SELECT count(*)::text AS groups, COALESCE(sum(members), 0)::text AS members FROM (${grouped}) AS grouped`,
    [],
    scan,
  );
  if (totals!.groups === "0") return { groups: 0, members: 0, examples: "" };
  const rows = await readRows<{ ids: string }>(
    client,
    `SELECT (SELECT json_agg("id"::text ORDER BY "id"::text) FROM ${name} WHERE ${address} = grouped.address)::text AS ids FROM (${grouped} ORDER BY 1 LIMIT ${MAX_EXAMPLES}) AS grouped`,
    [],
    scan,
  );
  const groups = rows.map(({ ids }) => joinNames(JSON.parse(ids) as string[]));
  return {
    groups: Number(totals!.groups),
    members: Number(totals!.members),
    examples: `${groups.length === 1 ? "Their ids" : "Ids, for example"}: ${groups.join("; ")}.`,
  };
}

export interface PlannedSessions {
  readonly rows: number;
  /** Sessions that have not expired. */
  readonly open: number;
  readonly stayLoggedIn: boolean;
}

/** Returns how many sessions migrate, and whether members stay logged in. */
export async function countSessions(
  client: pg.Client,
  { table }: SelectedTable,
  hasLegacyCookieSecret: boolean,
): Promise<PlannedSessions> {
  const [row] = await readRows<{ rows: string; open: string }>(
    client,
    `SELECT count(*)::text AS rows, (count(*) FILTER (WHERE "expirationDate" > now()))::text AS open FROM ${qualifiedSourceName(table)}`,
    [],
    { ms: SCAN_TIMEOUT_MS },
  );
  return { rows: Number(row!.rows), open: Number(row!.open), stayLoggedIn: hasLegacyCookieSecret };
}

/** Returns a note on whether members stay logged in (docs/decisions/024). */
export function checkSessions({ rows, open, stayLoggedIn }: PlannedSessions): PlanIssue[] {
  if (rows === 0) return [];
  const text = `${pluralize(rows, "session")}, ${open.toLocaleString("en-US")} of them not expired. Their ids are hashed (SHA-256).`;
  return [
    stayLoggedIn
      ? createNote(
          "members",
          `${text} Members stay logged in: LEGACY_COOKIE_SECRET is set.`,
          "Set LEGACY_SESSION_COOKIE and LEGACY_CLIENT_COOKIE to the names of the source site's cookies, here and where the site runs.",
        )
      : createNote(
          "members",
          `${text} Members must log in again: this site cannot read the source site's cookies.`,
          "To keep them logged in, set LEGACY_COOKIE_SECRET, LEGACY_SESSION_COOKIE and LEGACY_CLIENT_COOKIE (docs/decisions/024).",
        ),
  ];
}
