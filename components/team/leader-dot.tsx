// Shows which team leads, by color and tooltip, and in words for screen readers.

import type { Messages } from "#lib/core/messages/en.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import type { LeadingTeams } from "#lib/reading/lead.ts";
import { teamName } from "#lib/reading/team-profile.ts";
import { TeamDot } from "./team-dot.tsx";

/** "Red leads", "Red and Blue are tied", or that no team leads. */
function describeLead(teams: LeadingTeams, messages: Messages): string {
  if (teams.length > 1) return messages.tied(teams.map(teamName));
  return teams[0] ? messages.leads(teamName(teams[0])) : messages.noLead;
}

export function LeaderDot({ teams, messages }: { teams: LeadingTeams; messages: Messages }) {
  if (!siteConfig.features.teams) return null;
  const text = describeLead(teams, messages);
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
