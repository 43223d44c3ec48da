// The standing of the three teams, as a sentence and three lines. Words and numbers, so that colour carries nothing alone.

import { formatCount } from "#lib/core/format.ts";
import type { Standing } from "#lib/reading/standings.ts";
import { TEAM_NAMES, TeamDot } from "./team-dot.tsx";

function pluralize(count: number, one: string, many: string): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** Who leads, in a sentence. `where`: "this post" or "the site". */
export function describeStandings(standings: readonly Standing[], where: string): string {
  const [first, second] = standings;
  if (!first || first.ratio === 0)
    return `No team leads ${where} yet. The first read by a member decides.`;
  const also =
    second && second.ratio === first.ratio ? `, as many as ${TEAM_NAMES[second.team]}` : "";
  return `${TEAM_NAMES[first.team]} leads ${where} with ${first.ratio.toFixed(2)} reads for each of its active members${also}.`;
}

/** The three teams, best first. `wide`: with large figures, where a standing is the subject of a section. */
export function StandingsList({
  standings,
  wide = false,
}: {
  standings: readonly Standing[];
  wide?: boolean;
}) {
  return (
    <ol className={wide ? "standing standing-wide" : "standing"}>
      {standings.map(({ team, reads, members, ratio }) => (
        <li key={team}>
          <span className="standing-team">
            <TeamDot team={team} />
            {TEAM_NAMES[team]}
          </span>
          <span className="figures">
            {pluralize(reads, "read", "reads")} by{" "}
            {pluralize(members, "active member", "active members")}
          </span>
          <span className="standing-ratio">
            {ratio.toFixed(2)}
            <span className="visually-hidden"> reads a member</span>
          </span>
        </li>
      ))}
    </ol>
  );
}
