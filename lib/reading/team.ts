// Lists the teams and parses team names.

/** All teams, in the order of lists and ties. */
export const TEAMS = ["RED", "BLUE", "YELLOW"] as const;
export type Team = (typeof TEAMS)[number];

/** Returns the team named `value`, or null. */
export function parseTeam(value: unknown): Team | null {
  return TEAMS.find((team) => team === value) ?? null;
}
