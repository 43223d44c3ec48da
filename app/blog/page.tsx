// The list of posts: search, topics, order, what leads. Every state of it is an address.

import type { Metadata } from "next";
import { connection } from "next/server";
import { feedAlternates } from "#lib/posts/feeds/feed-alternates.ts";
import { getIndex } from "#lib/posts/catalog/site-catalog.ts";
import { readSitePageData, viewerKey } from "#lib/posts/page-data.ts";
import { postListHref } from "#components/post/post-list-href.ts";
import { FeaturedCard } from "#components/post/post-card.tsx";
import { PostSearch } from "#components/post/post-search.tsx";
import { LinkOptions, NoResults, PostList, TopicFilter } from "#components/post/post-list.tsx";
import { TotalsLine } from "#components/team/totals-line.tsx";
import { cacheDatabase } from "#lib/cache/cache-file.ts";
import { listPosts, toPostSummary } from "#lib/posts/post.ts";
import { pickFeaturedPost } from "#lib/posts/recommend.ts";
import {
  READ_FILTERS,
  SORT_ORDERS,
  type ReadFilter,
  type SortOrder,
  searchPosts,
} from "#lib/posts/search/search-posts.ts";
import { readSessionCookies } from "#lib/members/session/session.ts";

type Query = Record<string, string | string[] | undefined>;

const SORT_LABELS = { newest: "Newest", "most-read": "Most read", relevance: "Relevance" } as const;
const READ_LABELS = { all: "All", unread: "Unread", read: "Read" } as const;

/** The last value of a parameter that may stand more than once. */
function lastValue(value: string | string[] | undefined): string {
  return (Array.isArray(value) ? value.at(-1) : value) ?? "";
}

function parseOneOf<T extends string>(values: readonly T[], value: string): T | undefined {
  return values.find((known) => known === value);
}

export async function generateMetadata({
  searchParams,
}: {
  searchParams: Promise<Query>;
}): Promise<Metadata> {
  const query = await searchParams;
  const q = lastValue(query.q).slice(0, 200);
  return {
    title: q ? `“${q}” in posts` : "Posts",
    description:
      "Every post: search them, choose by topic, order them by date or by how often they were read to the end.",
    alternates: { canonical: "/blog", types: feedAlternates },
    // Every way to filter the list is one more address with the same posts.
    robots: Object.keys(query).length > 0 ? { index: false, follow: true } : undefined,
  };
}

export default async function BlogPage({ searchParams }: { searchParams: Promise<Query> }) {
  const query = await searchParams;
  await connection();
  const [index, identity] = await Promise.all([getIndex(), readSessionCookies()]);
  const data = await readSitePageData(identity);
  const isMember = data.viewer.member !== null;
  const sort = parseOneOf<SortOrder>(SORT_ORDERS, lastValue(query.sort));
  const found = searchPosts(cacheDatabase(), index, {
    q: lastValue(query.q),
    topics: [query.topic ?? []].flat(),
    sort,
    readFilter: isMember ? parseOneOf<ReadFilter>(READ_FILTERS, lastValue(query.read)) : undefined,
    readSlugs: isMember ? data.readSlugs : undefined,
    page: Number.parseInt(lastValue(query.page), 10) || 1,
    totals: data.postTotals,
  });
  // The order only where it was chosen: the default is another one with words than without.
  const state = { q: found.q, topics: found.topics, sort, read: found.readFilter };
  const filtered = found.topics.length > 0 || found.readFilter !== "all";
  const lead =
    found.q || filtered || found.sort !== "newest"
      ? null
      : pickFeaturedPost(index, {
          reader: { key: viewerKey(data.viewer), readSlugs: data.readSlugs },
          totals: data.startOfDayTotals,
          nowMs: data.nowMs,
        });
  const cards = found.results.map(({ post, title, snippet }) => ({
    post: toPostSummary(post),
    leader: data.leadingTeams.get(post.slug) ?? null,
    read: data.readSlugs.has(post.slug),
    ...(found.q ? { title, snippet } : {}),
  }));
  const sorts = SORT_ORDERS.filter((sort) => sort !== "relevance" || found.q).map((value) => ({
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
      </header>
      <PostSearch
        state={state}
        tools={
          <>
            <TopicFilter topics={found.topicCounts} state={state} />
            <div className="find-row">
              <p role="status" className="muted">
                {countSentence(found.total, found.q)}
              </p>
              {isMember && (
                <LinkOptions
                  name="read"
                  label="Which posts"
                  choices={READ_FILTERS.map((value) => ({ value, label: READ_LABELS[value] }))}
                  current={found.readFilter}
                  state={state}
                />
              )}
              <LinkOptions
                name="sort"
                label="Order"
                choices={sorts}
                current={found.sort}
                state={state}
              />
            </div>
          </>
        }
      >
        {lead && (
          <div style={{ marginBottom: "var(--gap)" }}>
            <FeaturedCard
              why="Much read, and not yet by you"
              post={toPostSummary(lead)}
              leader={data.leadingTeams.get(lead.slug) ?? null}
            />
          </div>
        )}
        {found.total === 0 ? (
          <NoResults q={found.q} filtered={filtered} topics={found.topicCounts} />
        ) : (
          <PostList
            cards={cards}
            first={!lead}
            more={found.nextPage === null ? null : postListHref({ ...state, page: found.nextPage })}
          />
        )}
      </PostSearch>
    </div>
  );
}

function countSentence(total: number, q: string): string {
  const posts = `${total} ${total === 1 ? "post" : "posts"}`;
  return q ? `${posts} for “${q}”` : posts;
}
