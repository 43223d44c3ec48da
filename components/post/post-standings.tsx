// Renders which team leads a post, and how often the post was read.

import { StandingsList, leadingTeam } from "#components/team/standings-list.tsx";
import type { Messages } from "#lib/core/messages/en.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { type Standing, pickLeadingTeams } from "#lib/reading/standings.ts";
import { teamName } from "#lib/reading/team-profile.ts";

interface Props {
  /** Best first. */
  readonly standings: readonly Standing[];
  /** Counted reads of this post, anonymous ones included. */
  readonly reads: number;
  readonly messages: Messages;
}

/** The color of the leading team becomes the accent of the surrounding page. */
export function PostStandings({ standings, reads, messages }: Props) {
  return (
    <section aria-labelledby="standing-title" data-leading-team={leadingTeam(standings)}>
      <h2 id="standing-title">{messages.whoIsReading}</h2>
      <p className="standing-say figures">
        {siteConfig.features.teams && `${describePostStandings(standings, messages)} `}
        {messages.readToTheEnd(reads)}
      </p>
      {siteConfig.features.teams && <StandingsList standings={standings} messages={messages} />}
    </section>
  );
}

function describePostStandings(standings: readonly Standing[], messages: Messages): string {
  const leading = pickLeadingTeams(standings);
  if (leading.length === 0) return messages.noTeamLeads;
  const score = messages.decimal(standings[0]!.readsPerMember);
  return leading.length > 1
    ? messages.teamsTied(leading.map(teamName), score)
    : messages.teamLeads(teamName(leading[0]!), score);
}
