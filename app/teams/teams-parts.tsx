// Loads the content of /teams, which differs between readers: the standings, their history and recent
// lead changes, and the reader's own team.

import { hasPage } from "#lib/posts/catalog/site-catalog.ts";
import { type TeamsData, readTeamsData } from "./teams-data.ts";
import { StandingsList, describeStandings, leadingTeam } from "#components/team/standings-list.tsx";
import { StandingsChart } from "#components/team/standings-chart.tsx";
import { TeamDot } from "#components/team/team-dot.tsx";
import { TEAMS } from "#lib/reading/team.ts";
import { listTeamNames, teamName } from "#lib/reading/team-profile.ts";
import { ArrowIcon } from "#components/ui/icons.tsx";
import { formatDate } from "#lib/core/format.ts";
import type { SessionIds } from "#lib/members/viewer.ts";

function LeadChangeText({ title, path, from, to }: TeamsData["changes"][number]) {
  const post = path !== null && <a href={path}>{title}</a>;
  const where = post ? <> of {post}</> : null;
  const previous = from.length > 0 && listTeamNames(from, "and");
  if (to.length === 0)
    return (
      <>
        {previous || "A team"} lost the lead{where}.
      </>
    );
  if (to.length > 1)
    return (
      <>
        {listTeamNames(to, "and")} are tied for the lead{where}.
      </>
    );
  return (
    <>
      {teamName(to[0]!)} took the lead{where}
      {previous && !from.includes(to[0]!) && ` from ${previous}`}.
    </>
  );
}

/** Returns the personal parts of /teams. */
export async function loadTeamsParts(sessionIds: SessionIds) {
  return { teams: <Teams {...await readTeamsData(sessionIds)} /> };
}

function Teams({
  viewerTeam,
  standings,
  history,
  leads,
  postCount,
  tiedPosts,
  postsWithoutLead,
  changes,
}: TeamsData) {
  return (
    <div className="stack wrap" data-team={leadingTeam(standings)}>
      <header className="page-head teams-head">
        <h1>Three teams</h1>
        <p className="lead">
          Every member reads for {listTeamNames(TEAMS, "or")}. There’s no prize: posts take the
          color of the team that reads them most.
        </p>
        <p className="teams-own">
          {viewerTeam ? (
            <>
              <TeamDot team={viewerTeam} /> You’re on team {teamName(viewerTeam)}.{" "}
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
          <h2 id="now">Standings</h2>
          <p className="standing-say figures">
            {describeStandings(standings)} A team’s score is its reads in the last six months
            divided by its active members; new members count a little more each day.
          </p>
          {hasPage("how-we-count") && (
            <a className="more" href="/how-we-count">
              How we count <ArrowIcon />
            </a>
          )}
        </div>
        <StandingsList standings={standings} wide />
      </section>

      <section aria-labelledby="over-time">
        <h2 id="over-time">The last six months</h2>
        {history.length > 1 ? (
          <StandingsChart history={history} />
        ) : (
          <p className="standing-say">Data starts with the first week a member read a post.</p>
        )}
      </section>

      <section className="race" aria-labelledby="leads">
        <div>
          <h2 id="leads">Posts led</h2>
          <ul className="standing">
            {leads.map(({ team, count }) => (
              <li key={team}>
                <span className="standing-team">
                  <TeamDot team={team} />
                  {teamName(team)}
                </span>
                <span>{postCount === 1 ? "of one post" : `of ${postCount} posts`}</span>
                <span className="standing-ratio">{count}</span>
              </li>
            ))}
          </ul>
          {tiedPosts > 0 && (
            <p className="teams-unled muted">
              {tiedPosts === 1 ? "1 post is" : `${tiedPosts} posts are`} tied.
            </p>
          )}
          {postsWithoutLead > 0 && (
            <p className="teams-unled muted">
              {postsWithoutLead === 1 ? "1 post has" : `${postsWithoutLead} posts have`} no leading
              team yet.
            </p>
          )}
        </div>
        <div>
          <h2 className="teams-changes-head">Recent changes</h2>
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
            <p className="muted">No changes yet.</p>
          )}
        </div>
      </section>
    </div>
  );
}
