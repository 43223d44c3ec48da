// Three more posts, after a post or in place of one that is not there.

import { PostCard, type PostCardData } from "./post-card.tsx";

/** Nothing when there are no posts to show. */
export function Recommendations({
  title,
  text,
  cards,
}: {
  title: string;
  text: string;
  cards: readonly PostCardData[];
}) {
  if (cards.length === 0) return null;
  return (
    <section className="recommend wrap" aria-labelledby="recommend-title">
      <h2 id="recommend-title">{title}</h2>
      <p>{text}</p>
      <div className="cards" style={{ marginTop: "2.25rem" }}>
        {cards.map((card) => (
          <PostCard key={card.post.slug} {...card} />
        ))}
      </div>
    </section>
  );
}
