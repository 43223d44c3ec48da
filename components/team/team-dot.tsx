// The dot in the colour of the team that leads something, and the words for it.

import type { Team } from "#lib/reading/team.ts";

export const TEAM_NAMES: Record<Team, string> = { RED: "Red", BLUE: "Blue", YELLOW: "Yellow" };

/** A dot without words: for where the team's name stands beside it. */
export function TeamDot({ team }: { team: Team | null }) {
  return <span className={team ? `dot dot-${team.toLowerCase()}` : "dot"} aria-hidden="true" />;
}

/** A dot that says who leads, to the eye by colour and title, to a screen reader in words. */
export function LeaderDot({ team }: { team: Team | null }) {
  const words = team ? `${TEAM_NAMES[team]} leads` : "No team leads yet";
  return (
    <span title={words} style={{ display: "inline-flex" }}>
      <TeamDot team={team} />
      <span className="visually-hidden">{words}</span>
    </span>
  );
}
