// Records which team leads each post and the whole site, so that each change is announced once.

import { log } from "#lib/core/log.ts";
import type { Tx } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
import { WHOLE_SITE, findLeadingTeams } from "./standings.ts";
import { type Team, parseTeam } from "./team.ts";

export interface LeadChange {
  /** null for the whole site. */
  readonly slug: string | null;
  readonly from: Team | null;
  /** null if no team leads now. */
  readonly to: Team | null;
}

/**
 * Records and returns the lead changes of `slugs` and the site since the last call; none if `slugs`
 * is empty. Call it in the transaction that may have changed standings, and logLeadChanges() after
 * the commit.
 */
export function recordLeadChanges(
  tx: Tx,
  { slugs, nowMs }: { slugs: readonly string[]; nowMs: number },
): LeadChange[] {
  if (slugs.length === 0) return [];
  const changes: LeadChange[] = [];
  const keys = [...new Set([...slugs, WHOLE_SITE])];
  const leadingTeams = findLeadingTeams(tx, { slugs: keys, nowMs });
  for (const [i, key] of keys.entries()) {
    const recorded = sqlOf(tx).get<{ team: string | null }>(
      `SELECT "team" FROM "OwnershipChange" WHERE "postSlug" = ? ORDER BY "id" DESC LIMIT 1`,
      key,
    );
    const from = parseTeam(recorded?.team);
    const to = leadingTeams[i] ?? null;
    if (from === to) continue;
    sqlOf(tx).run(
      `INSERT INTO "OwnershipChange" ("createdAt", "postSlug", "team") VALUES (?, ?, ?)`,
      nowMs,
      key,
      to,
    );
    changes.push({ slug: key === WHOLE_SITE ? null : key, from, to });
  }
  return changes;
}

/** Logs each lead change. Call it after the commit. */
export function logLeadChanges(changes: readonly LeadChange[]): void {
  for (const change of changes) log("info", "teams.leader_changed", { ...change });
}
