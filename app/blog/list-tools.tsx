// Renders the controls of the post list (topics, filters and order), and the number of posts.

import type { ReactNode } from "react";
import { LinkOptions, TopicFilter } from "#components/post/post-list.tsx";
import type { PostListState } from "#components/post/post-list-href.ts";
import { SORT_ORDERS, type SearchPage } from "#lib/search/search-posts.ts";

const SORT_LABELS = { newest: "Newest", "most-read": "Most read", relevance: "Relevance" } as const;

/** `children`: the filter for members. */
export function ListTools({
  search,
  state,
  children,
}: {
  search: SearchPage;
  state: PostListState;
  children: ReactNode;
}) {
  const sorts = SORT_ORDERS.filter((sort) => sort !== "relevance" || search.q).map((value) => ({
    value,
    label: SORT_LABELS[value],
  }));
  return (
    <>
      <TopicFilter topics={search.topicCounts} state={state} />
      <div className="find-row">
        <p role="status" className="muted">
          {countSentence(search.total, search.q, search.isApproximate)}
          {search.q && search.total > 0 && (
            <>
              {" · "}
              <a href={`/search?${new URLSearchParams({ q: search.q })}`}>Search the whole site</a>
            </>
          )}
        </p>
        {children}
        <LinkOptions
          name="sort"
          label="Sort by"
          choices={sorts}
          current={search.sort}
          state={state}
        />
      </div>
    </>
  );
}

function countSentence(total: number, q: string, isApproximate: boolean): string {
  const posts = `${total} ${total === 1 ? "post" : "posts"}`;
  if (isApproximate) return `No exact matches for “${q}”. ${posts} with similar words`;
  return q ? `${posts} for “${q}”` : posts;
}
