// Parses team names from outside the database.

import { TEAMS, type Team } from "#lib/db/column-values.ts";

export { TEAMS, type Team };

/** Returns the team named `value`, or null. */
export function parseTeam(value: unknown): Team | null {
  return TEAMS.find((team) => team === value) ?? null;
}
