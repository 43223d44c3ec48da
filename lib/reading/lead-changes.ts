// Records which team leads each post and the whole site, so that each change is announced once.

import { log } from "#lib/core/log.ts";
import type { Tx } from "#lib/db/database.ts";
import type { Sql } from "#lib/db/sql.ts";
import { type LeadingTeams, isSameLead } from "./lead.ts";
import {
  findRecordedLead,
  insertLeadChange,
  isLeadCheckCurrent,
  listSlugsWithLeads,
  saveLeadCheck,
} from "./lead-changes.sql.ts";
import { WHOLE_SITE, findLeadingTeams } from "./standings.ts";

export interface LeadChange {
  /** null for the whole site. */
  readonly slug: string | null;
  readonly from: LeadingTeams;
  readonly to: LeadingTeams;
}

/**
 * Records and returns the lead changes of `slugs` and the site since the last call; none if `slugs`
 * is empty. If a team's divisor has changed since, it checks every post: on the first call of a day,
 * and after a member has left, moved, or claimed reads. Call it in the transaction that may have
 * changed standings, and logLeadChanges() after the commit.
 */
export function recordLeadChanges(
  tx: Tx | Sql,
  { slugs, nowMs }: { slugs: readonly string[]; nowMs: number },
): LeadChange[] {
  if (slugs.length === 0) return [];
  const keys = [...new Set([...slugs, WHOLE_SITE])];
  const { leads, divisors } = findLeadingTeams(tx, { slugs: keys, nowMs });
  const changes = recordLeads(tx, { keys, leads, nowMs });
  if (isLeadCheckCurrent(tx, divisors)) return changes;
  saveLeadCheck(tx, divisors);
  const others = listSlugsWithLeads(tx).filter((slug) => !keys.includes(slug));
  const otherLeads = findLeadingTeams(tx, { slugs: others, nowMs }).leads;
  return [...changes, ...recordLeads(tx, { keys: others, leads: otherLeads, nowMs })];
}

function recordLeads(
  tx: Tx | Sql,
  {
    keys,
    leads,
    nowMs,
  }: { keys: readonly string[]; leads: readonly LeadingTeams[]; nowMs: number },
): LeadChange[] {
  return keys.flatMap((key, i) => {
    const from = findRecordedLead(tx, key);
    const to = leads[i]!;
    if (isSameLead(from, to)) return [];
    insertLeadChange(tx, { slug: key, lead: to, nowMs });
    return [{ slug: key === WHOLE_SITE ? null : key, from, to }];
  });
}

/** Logs each lead change. Call it after the commit. */
export function logLeadChanges(changes: readonly LeadChange[]): void {
  for (const change of changes) log("info", "teams.leader_changed", { ...change });
}
