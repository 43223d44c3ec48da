// Renders recommended posts, after a post or on a 404 page.

import type { Messages } from "#lib/core/messages/en.ts";
import { PostCard, type PostCardData } from "./post-card.tsx";

/** Renders nothing if there are no posts. */
export function Recommendations({
  title,
  cards,
  messages,
}: {
  title: string;
  cards: readonly PostCardData[];
  messages?: Messages;
}) {
  if (cards.length === 0) return null;
  return (
    <section className="recommend wrap" aria-labelledby="recommend-title">
      <h2 id="recommend-title">{title}</h2>
      <div className="cards" style={{ marginTop: "2.25rem" }}>
        {cards.map((card) => (
          <PostCard key={card.post.slug} {...card} messages={messages} />
        ))}
      </div>
    </section>
  );
}
