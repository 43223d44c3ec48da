// Loads the personal parts of a post's page: the current standings, and what to read next.

import { postMessages } from "#app/frame-messages.ts";
import { recommendationCards } from "#components/post/recommendation-cards.ts";
import { Recommendations } from "#components/post/recommendations.tsx";
import { PostStandings } from "#components/post/post-standings.tsx";
import type { SessionIds } from "#lib/members/viewer.ts";
import { getIndex } from "#lib/posts/catalog/site-catalog.ts";
import { readPostPageData } from "#lib/posts/page-data.ts";
import { countedSlug, findPost } from "#lib/posts/post.ts";
import { postLanguage, primaryLanguage } from "#lib/posts/translations.ts";

/** Returns the personal parts of a post's page. The post must exist. */
export async function loadPostParts(slug: string, sessionIds: SessionIds) {
  const index = await getIndex();
  const data = await readPostPageData(sessionIds, countedSlug(index, slug));
  const post = findPost(index, slug)!;
  const messages = postMessages(post);
  return {
    isAdmin: data.viewer.member?.role === "ADMIN",
    parts: {
      standings: (
        <PostStandings standings={data.standings} reads={data.reads} messages={messages} />
      ),
      recommendations: (
        <Recommendations
          title={messages.keepReading}
          cards={recommendationCards(index, data, slug, [primaryLanguage(postLanguage(post))])}
          messages={messages}
        />
      ),
    },
  };
}
