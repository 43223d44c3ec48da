// Adds members of another site. An import proves no address: they log in with the code of an email,
// like everyone.

import { randomUUID } from "node:crypto";
import { nowMs } from "#lib/core/clock.ts";
import type { Tx } from "#lib/db/database.ts";
import { TEAMS, type Team } from "#lib/reading/team.ts";
import { findMemberId } from "./sign-up.ts";

export interface MemberToImport {
  /** Lowercase. */
  readonly email: string;
  readonly firstName: string;
  readonly createdAt: Date;
}

/**
 * Adds those whose address has no account, as regular members, and returns their number. Each joins
 * the smallest team. Sends and enqueues nothing.
 */
export async function importMembers(tx: Tx, members: readonly MemberToImport[]): Promise<number> {
  const sizes = await countTeams(tx);
  let addedCount = 0;
  for (const { email, firstName, createdAt } of members) {
    if (findMemberId(tx, email)) continue;
    const team = TEAMS.reduce((a, b) => (sizes[b] < sizes[a] ? b : a));
    await tx.user.create({
      data: {
        id: randomUUID(),
        createdAt,
        updatedAt: new Date(nowMs()),
        email,
        firstName,
        role: "MEMBER",
        team,
      },
      select: { id: true },
    });
    sizes[team] += 1;
    addedCount += 1;
  }
  return addedCount;
}

async function countTeams(tx: Tx): Promise<Record<Team, number>> {
  const sizes = { RED: 0, BLUE: 0, YELLOW: 0 };
  const groups = await tx.user.groupBy({ by: ["team"], _count: { id: true } });
  for (const { team, _count } of groups) sizes[team as Team] = _count.id;
  return sizes;
}
