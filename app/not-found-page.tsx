// Renders the 404 page with recommended posts, and sets its status.

import { getIndex } from "#lib/posts/catalog/site-catalog.ts";
import { recommendationCards } from "#components/post/recommendation-cards.ts";
import { readSitePageData } from "#lib/posts/page-data.ts";
import { Recommendations } from "#components/post/recommendations.tsx";
import { SearchField } from "#components/search/search-field.tsx";
import { log } from "#lib/core/log.ts";
import { currentRequestContext } from "#lib/core/request-context.ts";
import type { SessionIds } from "#lib/members/viewer.ts";

/**
 * Renders the 404 page and sets the status. Next's notFound() would send a document that needs scripts
 * to show its content.
 */
export async function renderNotFound(sessionIds: SessionIds) {
  const request = currentRequestContext();
  if (request && !request.response.headersSent) request.response.statusCode = 404;
  const cards = await loadRecommendationCards(sessionIds);
  return (
    <>
      {/* Next's cache handler stores a document with this attribute as a 404. */}
      <div className="wrap" data-missing="">
        <header className="page-head">
          <h1>Page not found</h1>
          <p className="lead">
            It may have moved, or never existed.{" "}
            {cards.length > 0 ? "Search for it, or try one of these." : "Try searching for it."}
          </p>
        </header>
        <SearchField />
      </div>
      <Recommendations title="While you’re here" cards={cards} />
    </>
  );
}

/** Returns no cards on errors: the 404 page must always work. */
async function loadRecommendationCards(sessionIds: SessionIds) {
  try {
    return recommendationCards(await getIndex(), await readSitePageData(sessionIds), null);
    // oxlint-disable-next-line lectern/no-swallowed-replay -- only reads
  } catch (error) {
    log("warn", "pages.no_recommendations", { error });
    return [];
  }
}
