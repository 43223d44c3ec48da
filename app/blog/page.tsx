// Renders the list of posts with search, topics, order and a featured post. Every state has a URL.

import type { Metadata } from "next";
import { connection } from "next/server";
import { feedAlternates } from "#lib/posts/feeds/feed-paths.ts";
import { getIndex } from "#lib/posts/catalog/site-catalog.ts";
import { readSitePageData, viewerKey } from "#lib/posts/page-data.ts";
import { postListHref } from "#components/post/post-list-href.ts";
import { FeaturedCard } from "#components/post/post-card.tsx";
import { PostSearch } from "#components/post/post-search.tsx";
import { LinkOptions, NoResults, PostList, TopicFilter } from "#components/post/post-list.tsx";
import { TotalsLine } from "#components/team/totals-line.tsx";
import { isNewPost, toCard } from "#app/blog/to-card.ts";
import { ArchiveYears } from "#components/post/archive-years.tsx";
import { pluralize } from "#lib/core/format.ts";
import { readPreviousVisit } from "#lib/members/last-visit.ts";
import { listYears } from "#lib/posts/archive.ts";
import { listPosts, toPostSummary } from "#lib/posts/post.ts";
import { pickFeaturedPost } from "#lib/posts/recommend.ts";
import {
  READ_FILTERS,
  SORT_ORDERS,
  type ReadFilter,
  type SortOrder,
  searchPosts,
} from "#lib/search/search-posts.ts";
import { readSessionCookies } from "#lib/members/viewer.ts";

type Query = Record<string, string | string[] | undefined>;

const SORT_LABELS = { newest: "Newest", "most-read": "Most read", relevance: "Relevance" } as const;
const READ_LABELS = { all: "All", unread: "Unread", read: "Read" } as const;

/** Returns the last value of a parameter that may be repeated. */
function lastValue(value: string | string[] | undefined): string {
  return (Array.isArray(value) ? value.at(-1) : value) ?? "";
}

function parseOneOf<T extends string>(values: readonly T[], value: string): T | undefined {
  return values.find((option) => option === value);
}

export async function generateMetadata({
  searchParams,
}: {
  searchParams: Promise<Query>;
}): Promise<Metadata> {
  const query = await searchParams;
  const q = lastValue(query.q).slice(0, 200);
  return {
    title: q ? `Search: ${q}` : "Posts",
    description: "All posts. Search, filter by topic, or sort by date and popularity.",
    alternates: { canonical: "/blog", types: feedAlternates },
    // Filtered lists are duplicate content.
    robots: Object.keys(query).length > 0 ? { index: false, follow: true } : undefined,
  };
}

export default async function BlogPage({ searchParams }: { searchParams: Promise<Query> }) {
  const query = await searchParams;
  await connection();
  const [index, sessionIds] = await Promise.all([getIndex(), readSessionCookies()]);
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
  const isFiltered = search.topics.length > 0 || search.readFilter !== "all";
  const featured =
    search.q || isFiltered || search.sort !== "newest"
      ? null
      : pickFeaturedPost(index, {
          reader: { key: viewerKey(data.viewer), readSlugs: data.readSlugs },
          totals: data.startOfDayTotals,
          nowMs: data.nowMs,
        });
  const previousVisitMs = isMember ? await readPreviousVisit() : null;
  const cards = search.results.map(({ post, matchedPost, title, snippet }) => ({
    ...toCard(index, post, data, previousVisitMs),
    ...(search.q ? { post: toPostSummary(matchedPost), title, snippet } : {}),
  }));
  const newCount = listPosts(index).filter((post) => isNewPost(post, data, previousVisitMs)).length;
  const sorts = SORT_ORDERS.filter((sort) => sort !== "relevance" || search.q).map((value) => ({
    value,
    label: SORT_LABELS[value],
  }));

  return (
    <div className="wrap">
      <header className="page-head">
        <h1>Posts</h1>
        <div style={{ marginTop: "1rem" }}>
          <TotalsLine {...data.totals} posts={listPosts(index).length} />
        </div>
        {newCount > 0 && (
          <p className="muted">{pluralize(newCount, "new post")} since your last visit.</p>
        )}
      </header>
      <PostSearch
        state={state}
        tools={
          <>
            <TopicFilter topics={search.topicCounts} state={state} />
            <div className="find-row">
              <p role="status" className="muted">
                {countSentence(search.total, search.q, search.isApproximate)}
                {search.q && (
                  <>
                    {" · "}
                    <a href={`/search?${new URLSearchParams({ q: search.q })}`}>
                      Search the whole site
                    </a>
                  </>
                )}
              </p>
              {isMember && (
                <LinkOptions
                  name="read"
                  label="Which posts"
                  choices={READ_FILTERS.map((value) => ({ value, label: READ_LABELS[value] }))}
                  current={search.readFilter}
                  state={state}
                />
              )}
              <LinkOptions
                name="sort"
                label="Order"
                choices={sorts}
                current={search.sort}
                state={state}
              />
            </div>
          </>
        }
      >
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
            more={
              search.nextPage === null ? null : postListHref({ ...state, page: search.nextPage })
            }
          />
        )}
      </PostSearch>
      <ArchiveYears years={listYears(index)} />
    </div>
  );
}

function countSentence(total: number, q: string, isApproximate: boolean): string {
  const posts = `${total} ${total === 1 ? "post" : "posts"}`;
  if (isApproximate) return `No exact matches for “${q}”. ${posts} with similar words`;
  return q ? `${posts} for “${q}”` : posts;
}
