// What stands where no page is, with three posts to go on with; and how a page says that it is not there.

import { getIndex } from "#lib/posts/catalog/site-catalog.ts";
import { recommendationCards } from "#components/post/recommendation-cards.ts";
import { readSitePageData } from "#lib/posts/page-data.ts";
import { Recommendations } from "#components/post/recommendations.tsx";
import { log } from "#lib/core/log.ts";
import { currentRequestContext } from "#lib/core/request-context.ts";
import type { SessionIds } from "#lib/members/session/session.ts";

/** The page itself; the status is for whoever shows it to set. */
export async function NotFoundPage({ identity }: { identity: SessionIds }) {
  return (
    <>
      {/* The cache of shared pages keeps a document with this mark as a 404. */}
      <div className="wrap" data-missing="">
        <header className="page-head">
          <h1>There is no such page.</h1>
          <p className="lead">
            It may have been renamed, or never written. <a href="/blog">Search the posts</a>, or
            begin with one of these.
          </p>
        </header>
      </div>
      <Recommendations
        title="While you are here"
        text="Three posts to go on with."
        cards={await loadRecommendationCards(identity)}
      />
    </>
  );
}

/** This page must stand even when nothing behind it does. */
async function loadRecommendationCards(identity: SessionIds) {
  try {
    return recommendationCards(await getIndex(), await readSitePageData(identity), null);
  } catch (error) {
    log("warn", "pages.no_recommendations", { error });
    return [];
  }
}

/**
 * Makes the answer to this request a 404. Next's own notFound(), thrown in a page, sends a document without a body
 * and lets the browser's scripts fill it; this way the page is there without them.
 */
export function setNotFoundStatus(): void {
  const request = currentRequestContext();
  if (request && !request.response.headersSent) request.response.statusCode = 404;
}
