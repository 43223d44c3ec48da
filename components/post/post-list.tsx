// The list of posts: its tools, what was found, more of it, and what to do when nothing was.

import { postListHref, type PostListState } from "./post-list-href.ts";
import { PostCard, type PostCardData } from "./post-card.tsx";
import type { TopicCount } from "#lib/posts/search/search-posts.ts";

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
                {topic}
                {isSelected && (
                  <span className="visually-hidden"> (selected; press to remove)</span>
                )}
              </a>
            ) : (
              <span role="link" aria-disabled="true">
                {topic}
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

/** One of several: links, the one in force marked. */
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

/** `more`: where "Load more" leads; the focus then goes to the first card that came. `first`: the list begins in the first view. */
export function PostList({
  cards,
  more,
  first = false,
}: {
  cards: readonly PostCardData[];
  more: string | null;
  first?: boolean;
}) {
  const next = `post-${cards.length + 1}`;
  return (
    <>
      <h2 className="visually-hidden">Posts</h2>
      <div className="cards">
        {cards.map((card, place) => (
          <PostCard
            key={card.post.slug}
            id={`post-${place + 1}`}
            first={first && place < 2}
            {...card}
          />
        ))}
      </div>
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

/** What stands where posts would, when none fits. */
export function NoResults({
  q,
  filtered,
  topics,
}: {
  q: string;
  filtered: boolean;
  topics: readonly TopicCount[];
}) {
  const without = q && filtered ? postListHref({ q, topics: [] }) : null;
  return (
    <div className="nothing">
      <h2>Nothing fits{q ? <> “{q}”</> : null}.</h2>
      <p>
        Fewer or shorter words find more: the beginning of a word is enough.{" "}
        {without && (
          <>
            Or{" "}
            <a data-soft="" href={without}>
              look for the same words in every topic
            </a>
            .{" "}
          </>
        )}
        {topics.length > 0 && <>There are {topics.length} topics to look through, or </>}
        <a data-soft="" href="/blog">
          {topics.length > 0 ? "all posts" : "See all posts"}
        </a>
        .
      </p>
    </div>
  );
}
