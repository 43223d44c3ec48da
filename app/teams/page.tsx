// /teams: what the teams are, where they stand, and how it came to that.

import type { Metadata } from "next";
import { connection } from "next/server";
import { feedAlternates } from "#lib/posts/feeds/feed-alternates.ts";
import { type TeamsData, readTeamsData } from "./teams-data.ts";
import { StandingsList, describeStandings } from "#components/team/standings-list.tsx";
import { StandingsChart } from "#components/team/standings-chart.tsx";
import { TEAM_NAMES, TeamDot } from "#components/team/team-dot.tsx";
import { ArrowIcon } from "#components/ui/icons.tsx";
import { formatDate } from "#lib/core/format.ts";
import { readSessionCookies } from "#lib/members/session/session.ts";

export const metadata: Metadata = {
  title: "Teams",
  description:
    "Red, Blue and Yellow: where the three teams of readers stand, and how their standing has moved over half a year.",
  alternates: { canonical: "/teams", types: feedAlternates },
};

function LeadChangeText({ title, slug, from, to }: TeamsData["changes"][number]) {
  const what = title === null ? "the site" : <a href={`/blog/${slug}`}>{title}</a>;
  if (to === null)
    return (
      <>
        Nobody leads {what} any more; {from ? TEAM_NAMES[from] : "somebody"} did.
      </>
    );
  if (from === null)
    return (
      <>
        {TEAM_NAMES[to]} came to lead {what}.
      </>
    );
  return (
    <>
      {TEAM_NAMES[to]} took {what} from {TEAM_NAMES[from]}.
    </>
  );
}

export default async function TeamsPage() {
  await connection();
  const { viewerTeam, standings, history, leads, postCount, postsWithoutLead, changes } =
    await readTeamsData(await readSessionCookies());
  const first = standings[0];
  return (
    <div className="stack wrap" data-team={first && first.ratio > 0 ? first.team : undefined}>
      <header className="page-head teams-head">
        <h1>Three teams</h1>
        <p className="lead">
          Everybody who joins this site reads for Red, Blue or Yellow. There is nothing to win: the
          posts that a team reads most carry its colour, and this page says who is ahead.
        </p>
        <p className="teams-own">
          {viewerTeam ? (
            <>
              <TeamDot team={viewerTeam} /> You read for {TEAM_NAMES[viewerTeam]}.{" "}
              <a href="/me">Your account</a>
            </>
          ) : (
            <a className="more" href="/login?next=%2Fteams">
              Join a team <ArrowIcon />
            </a>
          )}
        </p>
      </header>

      <section className="race" aria-labelledby="now">
        <div>
          <h2 id="now">Where they stand</h2>
          <p className="standing-say figures">
            {describeStandings(standings, "the site")} What counts is a team’s reads of the last six
            months, divided by those of its members who have read anything in the last twelve. So a
            small team that reads is ahead of a large one that doesn’t.
          </p>
          <a className="more" href="/how-we-count">
            How we count <ArrowIcon />
          </a>
        </div>
        <StandingsList standings={standings} wide />
      </section>

      <section aria-labelledby="over-time">
        <h2 id="over-time">Half a year of it</h2>
        {history.length > 1 ? (
          <StandingsChart history={history} />
        ) : (
          <p className="standing-say">
            The lines begin at the end of the first week in which a member has read something.
          </p>
        )}
      </section>

      <section className="race" aria-labelledby="leads">
        <div>
          <h2 id="leads">Who leads how many</h2>
          <ul className="standing">
            {leads.map(({ team, count }) => (
              <li key={team}>
                <span className="standing-team">
                  <TeamDot team={team} />
                  {TEAM_NAMES[team]}
                </span>
                <span>{postCount === 1 ? "of one post" : `of ${postCount} posts`}</span>
                <span className="standing-ratio">{count}</span>
              </li>
            ))}
          </ul>
          {postsWithoutLead > 0 && (
            <p className="teams-unled muted">
              {postsWithoutLead === 1 ? "One post waits" : `${postsWithoutLead} posts wait`} for a
              first read by a member.
            </p>
          )}
        </div>
        <div>
          <h3 className="teams-changes-head">Last changes</h3>
          {changes.length > 0 ? (
            <ol className="rows">
              {changes.map((change) => (
                <li key={change.id} className="row">
                  <span className="row-what">
                    <span>
                      <LeadChangeText {...change} />
                    </span>
                    <small>
                      <time dateTime={change.date}>{formatDate(change.date)}</time>
                    </small>
                  </span>
                </li>
              ))}
            </ol>
          ) : (
            <p className="muted">No lead has changed hands yet.</p>
          )}
        </div>
      </section>
    </div>
  );
}
