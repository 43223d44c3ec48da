// Shows which team leads, by color and tooltip, and in words for screen readers.

import { siteConfig } from "#lib/core/site-config.ts";
import type { Team } from "#lib/reading/team.ts";
import { teamName } from "#lib/reading/team-profile.ts";
import { TeamDot } from "./team-dot.tsx";

export function LeaderDot({ team }: { team: Team | null }) {
  if (!siteConfig.features.teams) return null;
  const text = team ? `${teamName(team)} leads` : "No team leads yet";
  return (
    <span title={text} style={{ display: "inline-flex" }}>
      <TeamDot team={team} />
      <span className="visually-hidden">{text}</span>
    </span>
  );
}
