// Renders a team as dot and name.

import { TeamDot } from "#components/team/team-dot.tsx";
import { teamName } from "#lib/reading/team-profile.ts";
import { parseTeam } from "#lib/reading/team.ts";

export function TeamName({ team }: { team: string }) {
  const parsed = parseTeam(team);
  return (
    <span className="team">
      <TeamDot team={parsed} />
      {parsed ? teamName(parsed) : team}
    </span>
  );
}
