// Lists recent lead changes.

import type { Tx } from "#lib/db/database.ts";
import { type LeadingTeams, parseLead } from "./lead.ts";
import { WHOLE_SITE } from "./standings.ts";

export interface PastLeadChange {
  readonly id: number;
  readonly changedAtMs: number;
  /** null for the whole site. */
  readonly slug: string | null;
  readonly from: LeadingTeams;
  readonly to: LeadingTeams;
}

/** Returns the last `limit` lead changes, newest first, including those of deleted posts. */
export async function listLeadChanges(tx: Tx, limit: number): Promise<PastLeadChange[]> {
  const changes = await tx.leadChange.findMany({ orderBy: { id: "desc" }, take: limit });
  const leads = await findLeadsBefore(tx, changes);
  const past: PastLeadChange[] = [];
  for (const { id, createdAt, postSlug, ...lead } of changes.toReversed()) {
    past.push({
      id,
      changedAtMs: createdAt.getTime(),
      slug: postSlug === WHOLE_SITE ? null : postSlug,
      from: leads.get(postSlug) ?? [],
      to: parseLead(lead),
    });
    leads.set(postSlug, parseLead(lead));
  }
  return past.toReversed();
}

/** Returns who led each of the posts before the oldest of `changes`. */
async function findLeadsBefore(
  tx: Tx,
  changes: readonly { readonly id: number; readonly postSlug: string }[],
): Promise<Map<string, LeadingTeams>> {
  const newest = await tx.leadChange.groupBy({
    by: ["postSlug"],
    where: {
      postSlug: { in: changes.map(({ postSlug }) => postSlug) },
      id: { lt: changes.at(-1)?.id ?? 0 },
    },
    _max: { id: true },
  });
  const earlier = await tx.leadChange.findMany({
    where: { id: { in: newest.map(({ _max }) => _max.id ?? 0) } },
    select: { postSlug: true, team: true, tiedTeams: true },
  });
  return new Map(earlier.map(({ postSlug, ...lead }) => [postSlug, parseLead(lead)]));
}
