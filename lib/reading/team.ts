// Lists the teams, and parses a team that the database stores as text.

/** Every team, in the order of lists and of ties. */
export const TEAMS = ["RED", "BLUE", "YELLOW"] as const;
export type Team = (typeof TEAMS)[number];

/** Returns the team that `value` names, or null. */
export function parseTeam(value: unknown): Team | null {
  return TEAMS.find((team) => team === value) ?? null;
}
