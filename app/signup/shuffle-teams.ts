// Shuffles the teams for each sign-up, so that no team is always first.

import { createHash } from "node:crypto";
import { TEAMS, type Team } from "#lib/reading/team.ts";

/** Returns the teams in an order that depends only on `seed`, so that a rejected form shows the same order. */
export function shuffleTeams(seed: string): Team[] {
  const bytes = createHash("sha256").update(`order of teams ${seed}`).digest();
  const order: Team[] = [...TEAMS];
  for (let i = order.length - 1; i > 0; i--) {
    const j = bytes.readUInt32BE(i * 4) % (i + 1);
    [order[i], order[j]] = [order[j] as Team, order[i] as Team];
  }
  return order;
}
