// Shows which team leads, by color and tooltip, and in words for screen readers.

import { siteConfig } from "#lib/core/site-config.ts";
import type { LeadingTeams } from "#lib/reading/lead.ts";
import { listTeamNames, teamName } from "#lib/reading/team-profile.ts";
import { TeamDot } from "./team-dot.tsx";

/** "Red leads", "Red and Blue are tied", or that no team leads. */
function describeLead(teams: LeadingTeams): string {
  if (teams.length > 1) return `${listTeamNames(teams, "and")} are tied`;
  return teams[0] ? `${teamName(teams[0])} leads` : "No team leads yet";
}

export function LeaderDot({ teams }: { teams: LeadingTeams }) {
  if (!siteConfig.features.teams) return null;
  const text = describeLead(teams);
  return (
    <span title={text} className="leader-dot">
      {teams.length === 0 && <TeamDot team={null} />}
      {teams.map((team) => (
        <TeamDot key={team} team={team} />
      ))}
      <span className="visually-hidden">{text}</span>
    </span>
  );
}
