// Records which team leads each post and the whole site, so that each change is announced once.

import { log } from "#lib/core/log.ts";
import type { Tx } from "#lib/db/database.ts";
import type { Sql } from "#lib/db/sql.ts";
import { findRecordedLead, insertLeadChange } from "./lead-changes.sql.ts";
import { WHOLE_SITE, findLeadingTeams } from "./standings.ts";
import type { Team } from "./team.ts";

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
  tx: Tx | Sql,
  { slugs, nowMs }: { slugs: readonly string[]; nowMs: number },
): LeadChange[] {
  if (slugs.length === 0) return [];
  const changes: LeadChange[] = [];
  const keys = [...new Set([...slugs, WHOLE_SITE])];
  const leadingTeams = findLeadingTeams(tx, { slugs: keys, nowMs });
  for (const [i, key] of keys.entries()) {
    const from = findRecordedLead(tx, key);
    const to = leadingTeams[i] ?? null;
    if (from === to) continue;
    insertLeadChange(tx, { slug: key, team: to, nowMs });
    changes.push({ slug: key === WHOLE_SITE ? null : key, from, to });
  }
  return changes;
}

/** Logs each lead change. Call it after the commit. */
export function logLeadChanges(changes: readonly LeadChange[]): void {
  for (const change of changes) log("info", "teams.leader_changed", { ...change });
}
