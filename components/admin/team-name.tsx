// Renders a team as dot and name.

import { TEAM_NAMES, TeamDot } from "#components/team/team-dot.tsx";
import { parseTeam } from "#lib/reading/team.ts";

export function TeamName({ team }: { team: string }) {
  const parsed = parseTeam(team);
  return (
    <span className="team">
      <TeamDot team={parsed} />
      {parsed ? TEAM_NAMES[parsed] : team}
    </span>
  );
}
