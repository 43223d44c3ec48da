// Renders the topics of a post as links to their pages.

import { type Messages, en } from "#lib/core/messages/en.ts";
import type { Post } from "#lib/posts/post.ts";
import { topicPath, topicTitle } from "#lib/posts/topics.ts";

/** Renders nothing without topics. */
export function TopicLinks({
  frontMatter,
  messages = en,
}: Pick<Post, "frontMatter"> & { readonly messages?: Messages | undefined }) {
  if (frontMatter.categories.length === 0) return null;
  return (
    <ul className="topic-links" aria-label={messages.topics}>
      {frontMatter.categories.map((topic) => (
        <li key={topic}>
          <a href={topicPath(topic)}>{topicTitle(topic)}</a>
        </li>
      ))}
    </ul>
  );
}
