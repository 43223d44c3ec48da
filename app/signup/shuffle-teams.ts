// The order in which the teams are offered: another for each sign-up, so that no team is always the first.

import { createHash } from "node:crypto";
import { TEAMS, type Team } from "#lib/reading/team.ts";

/** The teams, shuffled by `seed`: the same one gives the same order, so that cards don't move under a hand that sends the form again. */
export function shuffleTeams(seed: string): Team[] {
  const bytes = createHash("sha256").update(`order of teams ${seed}`).digest();
  const order: Team[] = [...TEAMS];
  for (let i = order.length - 1; i > 0; i--) {
    const j = bytes.readUInt32BE(i * 4) % (i + 1);
    [order[i], order[j]] = [order[j] as Team, order[i] as Team];
  }
  return order;
}
