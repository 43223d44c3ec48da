// Records which team leads each post and the whole site, so that each change is announced once.

import { log } from "#lib/core/log.ts";
import type { Sql } from "#lib/db/connection.ts";
import { WHOLE_SITE, findLeadingTeams } from "./standings.ts";
import { type Team, parseTeam } from "./team.ts";

export interface LeadChange {
  /** null: the whole site. */
  readonly slug: string | null;
  readonly from: Team | null;
  /** null: no team leads now. */
  readonly to: Team | null;
}

/**
 * Compares the teams that lead `slugs` and the site with the last recorded ones, and records and returns each change; returns
 * none for no slugs. Call it in the transaction of a member's read, a claim, a change of team or a deletion, and
 * logLeadChanges after the commit. Time alone moves standings, too: such a change is recorded by the next call.
 */
export function recordLeadChanges(
  sql: Sql,
  { slugs, nowMs }: { slugs: readonly string[]; nowMs: number },
): LeadChange[] {
  if (slugs.length === 0) return [];
  const changes: LeadChange[] = [];
  const keys = [...new Set([...slugs, WHOLE_SITE])];
  const leadingTeams = findLeadingTeams(sql, { slugs: keys, nowMs });
  for (const [i, key] of keys.entries()) {
    const recorded = sql.get<{ team: string | null }>(
      `SELECT "team" FROM "OwnershipChange" WHERE "postSlug" = ? ORDER BY "id" DESC LIMIT 1`,
      key,
    );
    const from = parseTeam(recorded?.team);
    const to = leadingTeams[i] ?? null;
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

/** Logs each change of lead. Call it after the commit. */
export function logLeadChanges(changes: readonly LeadChange[]): void {
  for (const change of changes) log("info", "teams.leader_changed", { ...change });
}
