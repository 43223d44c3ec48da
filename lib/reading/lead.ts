// Describes who leads a post or the site: one team, several tied teams, or none.

import { TEAMS, type Team } from "./team.ts";

/** One leading team, several tied ones, or none without reads by members. In the order of TEAMS. */
export type LeadingTeams = readonly Team[];

/** Returns the lead that a row of LeadChange stores. */
export function parseLead(row: {
  readonly team: string | null;
  readonly tiedTeams: string;
}): LeadingTeams {
  const names = row.team === null ? row.tiedTeams.split(",") : [row.team];
  return TEAMS.filter((team) => names.includes(team));
}

export const isSameLead = (a: LeadingTeams, b: LeadingTeams): boolean => a.join() === b.join();
