// Draws a dot in the color of a team.

import type { Team } from "#lib/reading/team.ts";

/** A dot without text, for use next to the team's name. */
export function TeamDot({ team }: { team: Team | null }) {
  return <span className={team ? `dot dot-${team.toLowerCase()}` : "dot"} aria-hidden="true" />;
}
