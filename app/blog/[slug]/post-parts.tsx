// Loads the personal parts of a post's page: whether it is saved, where the member stopped, for whom a
// read counts, the current standings, and what to read next.

import { postMessages } from "#app/layout-messages.ts";
import { ContinueReading } from "#components/post/continue-reading.tsx";
import { recommendationCards } from "#components/post/recommendation-cards.ts";
import { ReadMark } from "#components/post/read-mark.tsx";
import { Recommendations } from "#components/post/recommendations.tsx";
import { PostStandings } from "#components/post/post-standings.tsx";
import { SavePost } from "#components/post/save-post.tsx";
import type { SessionIds } from "#lib/members/viewer.ts";
import { postUrlPath } from "#lib/posts/addresses/post-address.ts";
import { getIndex } from "#lib/posts/catalog/site-catalog.ts";
import { readPostPageData } from "#lib/posts/page-data.ts";
import { countedSlug, findPost } from "#lib/posts/post.ts";
import { postLanguage, primaryLanguage } from "#lib/posts/translations.ts";

/** Returns the personal parts of a post's page. The post must exist. */
export async function loadPostParts(slug: string, sessionIds: SessionIds) {
  const index = await getIndex();
  const data = await readPostPageData(sessionIds, slug, countedSlug(index, slug));
  const { member } = data.viewer;
  const post = findPost(index, slug)!;
  const messages = postMessages(post);
  const { readerPost } = data;
  return {
    isAdmin: member?.role === "ADMIN",
    parts: {
      continue: readerPost && (
        <ContinueReading {...post.compiled} place={readerPost.place} messages={messages} />
      ),
      save: (
        <SavePost
          slug={slug}
          path={postUrlPath(post)}
          isSaved={readerPost?.isSaved ?? null}
          messages={messages}
        />
      ),
      "read-mark": <ReadMark team={member?.team ?? null} messages={messages} />,
      // A draft's reads don't count.
      standings: !post.frontMatter.draft && (
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
