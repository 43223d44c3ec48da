// What the home page shows: what this is, what to read, who reads most. For the shared variant and for a reader of their own alike.

import { getIndex } from "#lib/posts/catalog/site-catalog.ts";
import { readSitePageData, viewerKey } from "#lib/posts/page-data.ts";
import { FeaturedCard, PostLine } from "#components/post/post-card.tsx";
import { StandingsList, describeStandings } from "#components/team/standings-list.tsx";
import { TotalsLine } from "#components/team/totals-line.tsx";
import { ArrowIcon } from "#components/ui/icons.tsx";
import { listPosts, toPostSummary } from "#lib/posts/post.ts";
import { pickFeaturedPost } from "#lib/posts/recommend.ts";
import type { SessionIds } from "#lib/members/session/session.ts";

const NEWEST_COUNT = 5;

/** The home page for this reader. */
export async function renderHome(identity: SessionIds) {
  const index = await getIndex();
  const data = await readSitePageData(identity);
  const posts = listPosts(index);
  const lead =
    pickFeaturedPost(index, {
      reader: { key: viewerKey(data.viewer), readSlugs: data.readSlugs },
      totals: data.startOfDayTotals,
      nowMs: data.nowMs,
    }) ?? posts[0];
  const newest = posts.filter((post) => post !== lead).slice(0, NEWEST_COUNT);
  const card = (post: (typeof posts)[number]) => ({
    post: toPostSummary(post),
    leader: data.leadingTeams.get(post.slug) ?? null,
    read: data.readSlugs.has(post.slug),
  });
  const first = data.standings[0];

  return (
    <div className="stack wrap" data-team={first && first.ratio > 0 ? first.team : undefined}>
      <header className="masthead">
        <h1>A site that reads from the database beside you.</h1>
        <p className="lead">
          One process, and one SQLite file beside it: every page is answered from there. The posts
          say how it works, what it costs, and how the same file will come to lie in every region.
        </p>
      </header>
      {lead && (
        <FeaturedCard
          {...card(lead)}
          why={data.readSlugs.has(lead.slug) ? "From the archive" : "To begin with"}
        />
      )}
      {newest.length > 0 && (
        <section aria-labelledby="newest">
          <div className="section-head">
            <h2 id="newest">Newest</h2>
            <a className="more" href="/blog">
              All {posts.length} posts <ArrowIcon />
            </a>
          </div>
          <div className="lines">
            {newest.map((post) => (
              <PostLine key={post.slug} {...card(post)} />
            ))}
          </div>
        </section>
      )}
      <section className="race" aria-labelledby="race">
        <div>
          <h2 id="race">Three teams read</h2>
          <p className="standing-say figures" style={{ marginTop: "1rem" }}>
            {describeStandings(data.standings, "the site")} A read counts when somebody has come to
            the end of a post, and took the time it takes.
          </p>
          <div style={{ marginTop: "1rem" }}>
            <TotalsLine {...data.totals} posts={posts.length} />
          </div>
          <a className="more" href="/how-we-count" style={{ marginTop: "0.5rem" }}>
            How we count <ArrowIcon />
          </a>
        </div>
        <StandingsList standings={data.standings} wide />
      </section>
    </div>
  );
}
