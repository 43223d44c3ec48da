// Remembers who leads each post and the site, so that a change can be announced once.

import type { Sql } from "#lib/db/connection.ts";
import { WHOLE_SITE, findLeadingTeams } from "./standings.ts";
import { type Team, parseTeam } from "./team.ts";

export interface LeadChange {
  /** null: the whole site. */
  readonly slug: string | null;
  readonly from: Team | null;
  /** null: nobody leads any more. */
  readonly to: Team | null;
}

/**
 * Compares who leads `slugs` and the site now with the last recorded owner and records each change.
 * Call it in the transaction of what may have changed a standing (a member's read, a claim, a change of team),
 * and announce what it returns after the commit. Time alone changes standings too: such a change is recorded
 * the next time somebody asks. Costs about 0.05 ms for each slug.
 */
export function recordLeadChanges(
  sql: Sql,
  { slugs, nowMs }: { slugs: Iterable<string>; nowMs: number },
): LeadChange[] {
  const changes: LeadChange[] = [];
  const keys = [...new Set([...slugs, WHOLE_SITE])];
  const leaders = findLeadingTeams(sql, { slugs: keys, nowMs });
  for (const [i, key] of keys.entries()) {
    const recorded = sql.get<{ team: string | null }>(
      `SELECT "team" FROM "OwnershipChange" WHERE "postSlug" = ? ORDER BY "id" DESC LIMIT 1`,
      key,
    );
    const from = parseTeam(recorded?.team);
    const to = leaders[i] ?? null;
    if (from === to) continue;
    sql.run(
      `INSERT INTO "OwnershipChange" ("createdAt", "postSlug", "team") VALUES (?, ?, ?)`,
      nowMs,
      key,
      to,
    );
    changes.push({ slug: key === WHOLE_SITE ? null : key, from, to });
  }
  return changes;
}
