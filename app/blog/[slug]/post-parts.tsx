// Loads what a post's page shows each reader: the standings at this moment, and what to read next.

import { recommendationCards } from "#components/post/recommendation-cards.ts";
import { Recommendations } from "#components/post/recommendations.tsx";
import { PostStandings } from "#components/post/post-standings.tsx";
import type { SessionIds } from "#lib/members/viewer.ts";
import { getIndex } from "#lib/posts/catalog/site-catalog.ts";
import { readPostPageData } from "#lib/posts/page-data.ts";

/** Returns the personal parts of the page of the post at `slug`, which exists. */
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
