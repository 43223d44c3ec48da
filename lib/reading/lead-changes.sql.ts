// Runs the statements of recordLeadChanges() in plain SQL, because the beacon's transaction is
// synchronous.

import type { Tx } from "#lib/db/database.ts";
import { type Sql, sqlOf } from "#lib/db/sql.ts";
import { type Team, parseTeam } from "./team.ts";

/** Returns the team that led the post or the site at the last recorded change; null if none. */
export const findRecordedLead = (tx: Tx | Sql, slug: string): Team | null =>
  parseTeam(
    sqlOf(tx).get<{ team: string | null }>(
      `SELECT "team" FROM "OwnershipChange" WHERE "postSlug" = ? ORDER BY "id" DESC LIMIT 1`,
      slug,
    )?.team,
  );

export const insertLeadChange = (
  tx: Tx | Sql,
  { slug, team, nowMs }: { slug: string; team: Team | null; nowMs: number },
): void =>
  void sqlOf(tx).run(
    `INSERT INTO "OwnershipChange" ("createdAt", "postSlug", "team") VALUES (?, ?, ?)`,
    nowMs,
    slug,
    team,
  );
