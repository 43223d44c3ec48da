// Loads the list of posts for a reader: the search's state, and the parts that differ between readers.

import { isNewPost, toCard } from "#app/blog/to-card.ts";
import { FeaturedCard } from "#components/post/post-card.tsx";
import { postListHref } from "#components/post/post-list-href.ts";
import { LinkOptions, NoResults, PostList } from "#components/post/post-list.tsx";
import { TotalsLine } from "#components/team/totals-line.tsx";
import { pluralize } from "#lib/core/format.ts";
import { type SearchParams, lastValue } from "#lib/http/search-params.ts";
import type { SessionIds } from "#lib/members/viewer.ts";
import { getIndex } from "#lib/posts/catalog/site-catalog.ts";
import { readSitePageData, viewerKey } from "#lib/posts/page-data.ts";
import { listPosts, toPostSummary } from "#lib/posts/post.ts";
import { pickFeaturedPost } from "#lib/posts/recommend.ts";
import {
  READ_FILTERS,
  SORT_ORDERS,
  type ReadFilter,
  type SortOrder,
  searchPosts,
} from "#lib/search/search-posts.ts";

/** A shorter list shows every post without scrolling, so a featured post would be there twice. */
const MIN_POSTS_WITH_FEATURED = 4;
const READ_LABELS = { all: "All", unread: "Unread", read: "Read" } as const;

function parseOneOf<T extends string>(values: readonly T[], value: string): T | undefined {
  return values.find((option) => option === value);
}

async function loadSearch(sessionIds: SessionIds, query: SearchParams) {
  const index = await getIndex();
  const data = await readSitePageData(sessionIds);
  const isMember = data.viewer.member !== null;
  const sort = parseOneOf<SortOrder>(SORT_ORDERS, lastValue(query.sort));
  const search = await searchPosts(index, {
    q: lastValue(query.q),
    topics: [query.topic ?? []].flat(),
    sort,
    readFilter: isMember ? parseOneOf<ReadFilter>(READ_FILTERS, lastValue(query.read)) : undefined,
    readSlugs: isMember ? data.readSlugs : undefined,
    page: Number.parseInt(lastValue(query.page), 10) || 1,
    totals: data.postTotals,
  });
  // Contains `sort` only if chosen: the default depends on the query.
  const state = { q: search.q, topics: search.topics, sort, read: search.readFilter };
  return { index, data, search, state, isMember };
}

type LoadedSearch = Awaited<ReturnType<typeof loadSearch>>;

/** Returns the search and the personal parts of /blog. `previousVisitMs`: see readPreviousVisit(). */
export async function loadListParts(
  sessionIds: SessionIds,
  previousVisitMs: number | null,
  query: SearchParams = {},
) {
  const loaded = await loadSearch(sessionIds, query);
  return {
    search: loaded.search,
    state: loaded.state,
    isAdmin: loaded.data.viewer.member?.role === "ADMIN",
    parts: {
      head: <ListHead {...loaded} previousVisitMs={previousVisitMs} />,
      "read-filter": loaded.isMember && <ReadFilterLinks {...loaded} />,
      results: <ListResults {...loaded} previousVisitMs={previousVisitMs} />,
    },
  };
}

interface ListProps extends LoadedSearch {
  readonly previousVisitMs: number | null;
}

function ListHead({ index, data, previousVisitMs }: ListProps) {
  const posts = listPosts(index);
  const newCount = posts.filter((post) => isNewPost(post, data, previousVisitMs)).length;
  return (
    <header className="page-head">
      <h1>Posts</h1>
      <div style={{ marginTop: "1rem" }}>
        <TotalsLine {...data.totals} posts={posts.length} />
      </div>
      {newCount > 0 && (
        <p className="muted">{pluralize(newCount, "new post")} since your last visit.</p>
      )}
    </header>
  );
}

function ReadFilterLinks({ search, state }: LoadedSearch) {
  return (
    <LinkOptions
      name="read"
      label="Read status"
      choices={READ_FILTERS.map((value) => ({ value, label: READ_LABELS[value] }))}
      current={search.readFilter}
      state={state}
    />
  );
}

function ListResults({ index, data, search, state, previousVisitMs }: ListProps) {
  const isFiltered = search.topics.length > 0 || search.readFilter !== "all";
  const featured =
    search.q || isFiltered || search.sort !== "newest" || search.total < MIN_POSTS_WITH_FEATURED
      ? null
      : pickFeaturedPost(index, {
          reader: { key: viewerKey(data.viewer), readSlugs: data.readSlugs },
          totals: data.startOfDayTotals,
          nowMs: data.nowMs,
        });
  const cards = search.results.map(({ post, matchedPost, title, snippet }) => ({
    ...toCard(index, post, data, previousVisitMs),
    ...(search.q ? { post: toPostSummary(matchedPost), title, snippet } : {}),
  }));
  return (
    <>
      {featured && (
        <div style={{ marginBottom: "var(--gap)" }}>
          <FeaturedCard
            why="Popular, and new to you"
            {...toCard(index, featured, data, previousVisitMs)}
          />
        </div>
      )}
      {search.total === 0 ? (
        <NoResults state={state} hasPosts={listPosts(index).length > 0} />
      ) : (
        <PostList
          cards={cards}
          first={!featured}
          isCompact={search.q !== ""}
          more={search.nextPage === null ? null : postListHref({ ...state, page: search.nextPage })}
        />
      )}
    </>
  );
}
