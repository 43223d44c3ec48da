// Loads the personal parts of the home page: the post to start with, the latest posts, and the
// current standings.

import { toCard } from "#app/blog/to-card.ts";
import { FeaturedCard, PostLine } from "#components/post/post-card.tsx";
import { StandingsList, describeStandings, leadingTeam } from "#components/team/standings-list.tsx";
import { TotalsLine } from "#components/team/totals-line.tsx";
import { ArrowIcon } from "#components/ui/icons.tsx";
import { siteConfig } from "#lib/core/site-config.ts";
import type { SessionIds } from "#lib/members/viewer.ts";
import { getIndex, hasPage } from "#lib/posts/catalog/site-catalog.ts";
import { readSitePageData, viewerKey } from "#lib/posts/page-data.ts";
import { type Post, listPosts } from "#lib/posts/post.ts";
import { pickFeaturedPost } from "#lib/posts/recommend.ts";

const NEWEST_COUNT = 5;

/** Returns the personal parts of the home page. `previousVisitMs`: see readPreviousVisit(). */
export async function loadHomeParts(sessionIds: SessionIds, previousVisitMs: number | null) {
  const index = await getIndex();
  const data = await readSitePageData(sessionIds);
  const posts = listPosts(index);
  const featured =
    pickFeaturedPost(index, {
      reader: { key: viewerKey(data.viewer), readSlugs: data.readSlugs },
      totals: data.startOfDayTotals,
      nowMs: data.nowMs,
    }) ?? posts[0];
  const newest = posts.filter((post) => post !== featured).slice(0, NEWEST_COUNT);
  const card = (post: Post) => toCard(index, post, data, previousVisitMs);
  const latest = (
    <>
      {featured && (
        <FeaturedCard
          {...card(featured)}
          why={data.readSlugs.has(featured.slug) ? "From the archive" : "Start here"}
        />
      )}
      {newest.length > 0 && (
        <section aria-labelledby="newest">
          <div className="section-head">
            <h2 id="newest">Latest posts</h2>
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
    </>
  );
  const race = siteConfig.features.teams && (
    <section
      className="race"
      aria-labelledby="race"
      data-leading-team={leadingTeam(data.standings)}
    >
      <div>
        <h2 id="race">The team standings</h2>
        <p className="standing-say figures" style={{ marginTop: "1rem" }}>
          {describeStandings(data.standings)} A read counts once you reach the end of a post after
          spending enough time on it.
        </p>
        <div style={{ marginTop: "1rem" }}>
          <TotalsLine {...data.totals} posts={posts.length} />
        </div>
        {hasPage("how-we-count") && (
          <a className="more" href="/how-we-count" style={{ marginTop: "0.5rem" }}>
            How we count <ArrowIcon />
          </a>
        )}
      </div>
      <StandingsList standings={data.standings} wide />
    </section>
  );
  return {
    isAdmin: data.viewer.member?.role === "ADMIN",
    parts: { posts: latest, race },
  };
}
