// A team by dot and name.

import { TEAM_NAMES, TeamDot } from "#components/team/team-dot.tsx";
import { parseTeam } from "#lib/reading/team.ts";

export function TeamName({ team }: { team: string }) {
  const known = parseTeam(team);
  return (
    <span className="team">
      <TeamDot team={known} />
      {known ? TEAM_NAMES[known] : team}
    </span>
  );
}
