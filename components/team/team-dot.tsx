// Draws a dot in the color of a team.

import type { Team } from "#lib/reading/team.ts";

export const TEAM_NAMES: Record<Team, string> = { RED: "Red", BLUE: "Blue", YELLOW: "Yellow" };

/** A dot without text, for use next to the team's name. */
export function TeamDot({ team }: { team: Team | null }) {
  return <span className={team ? `dot dot-${team.toLowerCase()}` : "dot"} aria-hidden="true" />;
}

/** A dot that shows which team leads, by color and tooltip, and in words for screen readers. */
export function LeaderDot({ team }: { team: Team | null }) {
  const text = team ? `${TEAM_NAMES[team]} leads` : "No team leads yet";
  return (
    <span title={text} style={{ display: "inline-flex" }}>
      <TeamDot team={team} />
      <span className="visually-hidden">{text}</span>
    </span>
  );
}
