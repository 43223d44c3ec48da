// Renders which team leads a post, and how often the post was read.

import { StandingsList, describeStandings, leadingTeam } from "#components/team/standings-list.tsx";
import { formatCount } from "#lib/core/format.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import type { Standing } from "#lib/reading/standings.ts";

interface Props {
  /** Best first. */
  readonly standings: readonly Standing[];
  /** Counted reads of this post, anonymous ones included. */
  readonly reads: number;
}

/** The color of the leading team becomes the accent of the surrounding page. */
export function PostStandings({ standings, reads }: Props) {
  return (
    <section aria-labelledby="standing-title" data-leading-team={leadingTeam(standings)}>
      <h2 id="standing-title">Who’s reading</h2>
      <p className="standing-say figures">
        {siteConfig.features.teams && `${describeStandings(standings, "this post")} `}
        {readCountSentence(reads)}
      </p>
      {siteConfig.features.teams && <StandingsList standings={standings} />}
    </section>
  );
}

function readCountSentence(reads: number): string {
  if (reads === 0) return "No one has finished it yet.";
  return `Read to the end ${reads === 1 ? "once" : `${formatCount(reads)} times`}.`;
}
