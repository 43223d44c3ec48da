// Runs the statements of recordLeadChanges() in plain SQL, because the beacon's transaction is
// synchronous.

import type { Tx } from "#lib/db/database.ts";
import { type Sql, sqlOf } from "#lib/db/sql.ts";
import { type LeadingTeams, parseLead } from "./lead.ts";

/** Returns who led the post or the site at the last recorded change. */
export function findRecordedLead(tx: Tx | Sql, slug: string): LeadingTeams {
  const row = sqlOf(tx).get<{ team: string | null; tiedTeams: string }>(
    `SELECT "team", "tiedTeams" FROM "OwnershipChange" WHERE "postSlug" = ? ORDER BY "id" DESC LIMIT 1`,
    slug,
  );
  return row ? parseLead(row) : [];
}

export const insertLeadChange = (
  tx: Tx | Sql,
  { slug, lead, nowMs }: { slug: string; lead: LeadingTeams; nowMs: number },
): void =>
  void sqlOf(tx).run(
    `INSERT INTO "OwnershipChange" ("createdAt", "postSlug", "team", "tiedTeams") VALUES (?, ?, ?, ?)`,
    nowMs,
    slug,
    lead.length === 1 ? lead[0]! : null,
    lead.length > 1 ? lead.join(",") : "",
  );

/** Returns every post that has reads or a recorded lead. */
export const listSlugsWithLeads = (tx: Tx | Sql): string[] =>
  sqlOf(tx)
    .all<{ postSlug: string }>(
      `SELECT "postSlug" FROM "PostTotal" UNION SELECT "postSlug" FROM "OwnershipChange" WHERE "postSlug" <> ''`,
    )
    .map(({ postSlug }) => postSlug);

/** Returns whether the leads of all posts were last checked with these divisors. */
export const isLeadCheckCurrent = (tx: Tx | Sql, divisors: string): boolean =>
  sqlOf(tx).get(`SELECT 1 FROM "LeadCheck" WHERE "divisors" = ?`, divisors) !== undefined;

export const saveLeadCheck = (tx: Tx | Sql, divisors: string): void =>
  void sqlOf(tx).run(
    `INSERT INTO "LeadCheck" ("id", "divisors") VALUES (1, ?) ON CONFLICT DO UPDATE SET "divisors" = excluded."divisors"`,
    divisors,
  );
