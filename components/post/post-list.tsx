// The list of posts: its tools, what was found, more of it, and what to do when nothing was.

import { postListHref, type PostListState } from "./post-list-href.ts";
import { PostCard, type PostCardData } from "./post-card.tsx";

export interface TopicOption {
  readonly topic: string;
  /** Posts left with this topic chosen too. */
  readonly count: number;
  readonly selected: boolean;
}

/** Topics to toggle. One that would leave nothing can't be pressed. */
export function TopicFilter({
  topics,
  state,
}: {
  topics: readonly TopicOption[];
  state: PostListState;
}) {
  return (
    <ul className="topics" aria-label="Topics">
      {topics.map(({ topic, count, selected }) => {
        const others = state.topics.filter((other) => other !== topic);
        return (
          <li key={topic}>
            {selected || count > 0 ? (
              <a
                data-soft=""
                href={postListHref({
                  ...state,
                  topics: selected ? others : [...others, topic],
                  page: 1,
                })}
                aria-current={selected ? "true" : undefined}
              >
                {topic}
                {selected && <span className="visually-hidden"> (chosen: press to leave out)</span>}
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
  topics: readonly TopicOption[];
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
