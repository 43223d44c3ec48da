// Lists recent lead changes.

import type { Tx } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
import { WHOLE_SITE } from "./standings.ts";
import { type Team, parseTeam } from "./team.ts";

export interface PastLeadChange {
  readonly id: number;
  readonly changedAtMs: number;
  /** null for the whole site. */
  readonly slug: string | null;
  readonly from: Team | null;
  /** null if no team led afterwards. */
  readonly to: Team | null;
}

/** Returns the last `limit` lead changes, newest first, including those of deleted posts. */
export function listLeadChanges(tx: Tx, limit: number): PastLeadChange[] {
  return sqlOf(tx)
    .all<{
      id: number;
      createdAt: number;
      postSlug: string;
      team: string | null;
      before: string | null;
    }>(
      `SELECT "id", "createdAt", "postSlug", "team",
         (SELECT "team" FROM "OwnershipChange" AS "earlier" WHERE "earlier"."postSlug" = "change"."postSlug" AND "earlier"."id" < "change"."id" ORDER BY "earlier"."id" DESC LIMIT 1) AS "before"
       FROM "OwnershipChange" AS "change" ORDER BY "id" DESC LIMIT ?`,
      limit,
    )
    .map(({ id, createdAt, postSlug, team, before }) => ({
      id,
      changedAtMs: createdAt,
      slug: postSlug === WHOLE_SITE ? null : postSlug,
      from: parseTeam(before),
      to: parseTeam(team),
    }));
}
