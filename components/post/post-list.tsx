// Renders the list of posts: topics, filters, cards, "Load more", and the empty state.

import { postListHref, type PostListState } from "./post-list-href.ts";
import { PostCard, type PostCardData, PostLine } from "./post-card.tsx";
import { topicTitle } from "#lib/posts/topics.ts";
import type { TopicCount } from "#lib/search/search-posts.ts";

/** Toggles topics. One that would leave no posts is disabled. */
export function TopicFilter({
  topics,
  state,
}: {
  topics: readonly TopicCount[];
  state: PostListState;
}) {
  return (
    <ul className="topics" aria-label="Topics">
      {topics.map(({ topic, count, isSelected }) => {
        const others = state.topics.filter((other) => other !== topic);
        return (
          <li key={topic}>
            {isSelected || count > 0 ? (
              <a
                data-soft=""
                href={postListHref({
                  ...state,
                  topics: isSelected ? others : [...others, topic],
                  page: 1,
                })}
                aria-current={isSelected ? "true" : undefined}
              >
                {topicTitle(topic)}
                {isSelected && (
                  <span className="visually-hidden"> (selected; press to remove)</span>
                )}
              </a>
            ) : (
              <span role="link" aria-disabled="true">
                {topicTitle(topic)}
              </span>
            )}
          </li>
        );
      })}
    </ul>
  );
}

export interface LinkOption {
  readonly value: string;
  readonly label: string;
}

/** A choice among links; the current one is marked. */
export function LinkOptions({
  name,
  label,
  choices,
  current,
  state,
}: {
  name: "sort" | "read";
  label: string;
  choices: readonly LinkOption[];
  current: string;
  state: PostListState;
}) {
  return (
    <ul className="choices" aria-label={label}>
      {choices.map(({ value, label: text }) => (
        <li key={value}>
          <a
            data-soft=""
            href={postListHref({ ...state, [name]: value, page: 1 })}
            aria-current={value === current ? "true" : undefined}
          >
            {text}
          </a>
        </li>
      ))}
    </ul>
  );
}

/**
 * Cards, or lines for the results of a search. `more`: URL of "Load more", which moves the focus to the first new card.
 * `first`: the list is above the fold.
 */
export function PostList({
  cards,
  more,
  first = false,
  isCompact = false,
}: {
  cards: readonly PostCardData[];
  more: string | null;
  first?: boolean;
  isCompact?: boolean;
}) {
  const next = `post-${cards.length + 1}`;
  return (
    <>
      <h2 className="visually-hidden">Posts</h2>
      {isCompact ? (
        <div className="lines">
          {cards.map((card, index) => (
            <PostLine key={card.post.slug} id={`post-${index + 1}`} {...card} />
          ))}
        </div>
      ) : (
        <div className="cards">
          {cards.map((card, index) => (
            <PostCard
              key={card.post.slug}
              id={`post-${index + 1}`}
              first={first && index < 2}
              {...card}
            />
          ))}
        </div>
      )}
      {more && (
        <p className="load-more">
          <a className="button" data-soft="" data-then={`#${next}`} href={`${more}#${next}`}>
            Load more
          </a>
        </p>
      )}
    </>
  );
}

/** The empty state: says what is missing, and links only to lists that have posts. */
export function NoResults({ state, hasPosts }: { state: PostListState; hasPosts: boolean }) {
  const { q, topics, read } = state;
  const filters = topics.length > 0 || (read ?? "all") !== "all";
  if (!hasPosts)
    return (
      <div className="nothing">
        <h2>No posts here yet.</h2>
      </div>
    );
  return (
    <div className="nothing">
      <h2>{q ? <>No posts match “{q}”.</> : emptyFilterText(topics, read)}</h2>
      <p>
        {q && (
          <>
            Try fewer words, or just the start of a word.{" "}
            <a href={`/search?${new URLSearchParams({ q })}`}>Search the whole site</a>.{" "}
          </>
        )}
        {q && filters && (
          <>
            <a data-soft="" href={postListHref({ q, topics: [] })}>
              Search all posts
            </a>
            , or{" "}
          </>
        )}
        <a data-soft="" href="/blog">
          {q && filters ? "see all posts" : "See all posts"}
        </a>
        .
      </p>
    </div>
  );
}

function emptyFilterText(topics: readonly string[], read: PostListState["read"]): string {
  const about = topics.length > 0 ? ` about ${topics.join(" and ")}` : "";
  if (read === "read") return `You haven’t finished a post${about} yet.`;
  if (read === "unread") return `You’ve read every post${about}.`;
  return `No posts${about}.`;
}
