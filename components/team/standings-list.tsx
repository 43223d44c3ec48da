// Shows the team standings as a sentence and a list, in words and numbers as well as in color.

import { siteConfig } from "#lib/core/site-config.ts";
import type { Team } from "#lib/reading/team.ts";
import { type Messages, en } from "#lib/core/messages/en.ts";
import { type Standing, pickLeadingTeams } from "#lib/reading/standings.ts";
import { TeamDot } from "./team-dot.tsx";
import { listTeamNames, teamName } from "#lib/reading/team-profile.ts";

/**
 * Returns the team whose color is the page's accent; undefined if no single team leads or teams are
 * off.
 */
export function leadingTeam(standings: readonly Standing[]): Team | undefined {
  const [team, ...tied] = pickLeadingTeams(standings);
  return siteConfig.features.teams && tied.length === 0 ? team : undefined;
}

/** Says in a sentence which team leads the site. */
export function describeStandings(standings: readonly Standing[]): string {
  const leading = pickLeadingTeams(standings);
  if (leading.length === 0)
    return "No team is leading the site yet. The first member to read a post takes the lead.";
  const score = `${standings[0]!.readsPerMember.toFixed(2)} reads per active member`;
  if (leading.length > 1) return `${listTeamNames(leading, "and")} are tied at ${score}.`;
  return `${teamName(leading[0]!)} leads the site with ${score}.`;
}

/** Returns whether new members make the divisor visibly smaller than the number of members. */
const isPartial = (members: number, memberTime: number) =>
  members > 1 && memberTime.toFixed(2) !== members.toFixed(2);

/** Lists the teams, best first. `wide`: with large figures. */
export function StandingsList({
  standings,
  wide = false,
  messages = en,
}: {
  standings: readonly Standing[];
  wide?: boolean;
  messages?: Messages;
}) {
  return (
    <ol className={wide ? "standing standing-wide" : "standing"}>
      {standings.map(({ team, reads, members, memberTime, readsPerMember }) => (
        <li key={team}>
          <span className="standing-team">
            <TeamDot team={team} />
            {teamName(team)}
          </span>
          <span className="figures">
            {messages.reads(reads)}
            {isPartial(members, memberTime) && ` ÷ ${messages.decimal(memberTime)}`} ·{" "}
            {messages.activeMembers(members)}
          </span>
          <span className="standing-ratio">
            {messages.decimal(readsPerMember)}
            <span className="visually-hidden"> {messages.readsPerMember}</span>
          </span>
        </li>
      ))}
    </ol>
  );
}
