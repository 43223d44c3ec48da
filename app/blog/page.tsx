// The list of posts: search, topics, order, what leads. Every state of it is an address.

import type { Metadata } from "next";
import { connection } from "next/server";
import { feedTypes } from "../feed-types.ts";
import { getIndex } from "../_site/site.ts";
import { readSiteData, readerKey } from "./reading-data.ts";
import { listHref } from "#components/post/list-href.ts";
import { LeadCard } from "#components/post/post-card.tsx";
import { PostFinder } from "#components/post/post-finder.tsx";
import { Choices, NothingFound, PostList, Topics } from "#components/post/post-list.tsx";
import { TotalsLine } from "#components/team/totals-line.tsx";
import { cacheDatabase } from "#lib/cache/file.ts";
import { listPosts, summaryOf } from "#lib/posts/post.ts";
import { featured } from "#lib/posts/recommend.ts";
import { READ_FILTERS, SORTS, type ReadFilter, type Sort, searchPosts } from "#lib/posts/search.ts";
import { readIdentity } from "#lib/session/session.ts";

type Query = Record<string, string | string[] | undefined>;

const SORT_LABELS = { newest: "Newest", "most-read": "Most read", relevance: "Relevance" } as const;
const READ_LABELS = { all: "All", unread: "Unread", read: "Read" } as const;

/** The last value of a parameter that may stand more than once. */
function last(value: string | string[] | undefined): string {
  return (Array.isArray(value) ? value.at(-1) : value) ?? "";
}

function oneOf<T extends string>(values: readonly T[], value: string): T | undefined {
  return values.find((known) => known === value);
}

export async function generateMetadata({
  searchParams,
}: {
  searchParams: Promise<Query>;
}): Promise<Metadata> {
  const query = await searchParams;
  const q = last(query.q).slice(0, 200);
  return {
    title: q ? `“${q}” in posts` : "Posts",
    description:
      "Every post: search them, choose by topic, order them by date or by how often they were read to the end.",
    alternates: { canonical: "/blog", types: feedTypes },
    // Every way to filter the list is one more address with the same posts.
    robots: Object.keys(query).length > 0 ? { index: false, follow: true } : undefined,
  };
}

export default async function BlogPage({ searchParams }: { searchParams: Promise<Query> }) {
  const query = await searchParams;
  await connection();
  const [index, identity] = await Promise.all([getIndex(), readIdentity()]);
  const data = await readSiteData(identity);
  const isMember = data.reader.member !== null;
  const sort = oneOf<Sort>(SORTS, last(query.sort));
  const found = searchPosts(cacheDatabase(), index, {
    q: last(query.q),
    topics: [query.topic ?? []].flat(),
    sort,
    read: isMember ? oneOf<ReadFilter>(READ_FILTERS, last(query.read)) : undefined,
    readSlugs: isMember ? data.read : undefined,
    page: Number.parseInt(last(query.page), 10) || 1,
    totals: data.postTotals,
  });
  // The order only where it was chosen: the default is another one with words than without.
  const state = { q: found.q, topics: found.topics, sort, read: found.read };
  const filtered = found.topics.length > 0 || found.read !== "all";
  const lead =
    found.q || filtered || found.sort !== "newest"
      ? null
      : featured(index, {
          reader: { key: readerKey(data.reader), readSlugs: data.read },
          totals: data.dayTotals,
          nowMs: data.nowMs,
        });
  const cards = found.results.map(({ post, title, snippet }) => ({
    post: summaryOf(post),
    leader: data.leaders.get(post.slug) ?? null,
    read: data.read.has(post.slug),
    ...(found.q ? { title, snippet } : {}),
  }));
  const sorts = SORTS.filter((sort) => sort !== "relevance" || found.q).map((value) => ({
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
      <PostFinder
        state={state}
        tools={
          <>
            <Topics topics={found.topicCounts} state={state} />
            <div className="find-row">
              <p role="status" className="muted">
                {count(found.total, found.q)}
              </p>
              {isMember && (
                <Choices
                  name="read"
                  label="Which posts"
                  choices={READ_FILTERS.map((value) => ({ value, label: READ_LABELS[value] }))}
                  current={found.read}
                  state={state}
                />
              )}
              <Choices
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
            <LeadCard
              why="Much read, and not yet by you"
              post={summaryOf(lead)}
              leader={data.leaders.get(lead.slug) ?? null}
            />
          </div>
        )}
        {found.total === 0 ? (
          <NothingFound q={found.q} filtered={filtered} topics={found.topicCounts} />
        ) : (
          <PostList
            cards={cards}
            first={!lead}
            more={found.nextPage === null ? null : listHref({ ...state, page: found.nextPage })}
          />
        )}
      </PostFinder>
    </div>
  );
}

function count(total: number, q: string): string {
  const posts = `${total} ${total === 1 ? "post" : "posts"}`;
  return q ? `${posts} for “${q}”` : posts;
}
