// Shows the team standings as a sentence and a list, in words and numbers as well as in color.

import { siteConfig } from "#lib/core/site-config.ts";
import type { Team } from "#lib/reading/team.ts";
import { pluralize } from "#lib/core/format.ts";
import type { Standing } from "#lib/reading/standings.ts";
import { TeamDot } from "./team-dot.tsx";
import { listTeamNames, teamName } from "#lib/reading/team-profile.ts";

/** Returns the team whose color is the page's accent; undefined if no team leads or teams are off. */
export function leadingTeam([first]: readonly Standing[]): Team | undefined {
  return siteConfig.features.teams && first && first.readsPerMember > 0 ? first.team : undefined;
}

/** Says which team leads in a sentence. `where`: "this post" or "the site". */
export function describeStandings(standings: readonly Standing[], where: string): string {
  const [first] = standings;
  if (!first || first.readsPerMember === 0)
    return `No team is leading ${where} yet. The first member to read ${where === "this post" ? "it" : "a post"} takes the lead.`;
  const score = `${first.readsPerMember.toFixed(2)} reads per active member`;
  const tied = standings.filter(({ readsPerMember }) => readsPerMember === first.readsPerMember);
  if (tied.length === 1) return `${teamName(first.team)} leads ${where} with ${score}.`;
  return `${listTeamNames(
    tied.map(({ team }) => team),
    "and",
  )} are tied at ${score}.`;
}

/** Lists the teams, best first. `wide`: with large figures. */
export function StandingsList({
  standings,
  wide = false,
}: {
  standings: readonly Standing[];
  wide?: boolean;
}) {
  return (
    <ol className={wide ? "standing standing-wide" : "standing"}>
      {standings.map(({ team, reads, members, readsPerMember }) => (
        <li key={team}>
          <span className="standing-team">
            <TeamDot team={team} />
            {teamName(team)}
          </span>
          <span className="figures">
            {pluralize(reads, "read")} · {pluralize(members, "active member")}
          </span>
          <span className="standing-ratio">
            {readsPerMember.toFixed(2)}
            <span className="visually-hidden"> reads per member</span>
          </span>
        </li>
      ))}
    </ol>
  );
}
