// Loads the personal parts of a post's page: the current standings, and what to read next.

import { recommendationCards } from "#components/post/recommendation-cards.ts";
import { Recommendations } from "#components/post/recommendations.tsx";
import { PostStandings } from "#components/post/post-standings.tsx";
import type { SessionIds } from "#lib/members/viewer.ts";
import { getIndex } from "#lib/posts/catalog/site-catalog.ts";
import { readPostPageData } from "#lib/posts/page-data.ts";

/** Returns the personal parts of a post's page. The post must exist. */
export async function loadPostParts(slug: string, sessionIds: SessionIds) {
  const index = await getIndex();
  const data = await readPostPageData(sessionIds, slug);
  return {
    isAdmin: data.viewer.member?.role === "ADMIN",
    parts: {
      standings: <PostStandings standings={data.standings} reads={data.reads} />,
      recommendations: (
        <Recommendations title="Keep reading" cards={recommendationCards(index, data, slug)} />
      ),
    },
  };
}
