// Links the previous and the next post below the text: of the series, or by date.

import type { Messages } from "#lib/core/messages/en.ts";
import { postUrlPath } from "#lib/posts/addresses/post-address.ts";
import type { Neighbors } from "#lib/posts/neighbors.ts";
import type { Post } from "#lib/posts/post.ts";
import { languageAttributes } from "#lib/posts/post-language.ts";

function Neighbor({ label, post, rel }: { label: string; post: Post; rel: "prev" | "next" }) {
  return (
    <p className={`neighbor-${rel}`}>
      <span>{label}</span>
      <a href={postUrlPath(post)} rel={rel} {...languageAttributes(post.frontMatter)}>
        {post.frontMatter.title}
      </a>
    </p>
  );
}

/** Renders nothing without neighbors. `isSeries`: they are parts of the post's series. */
export function PostNeighbors({
  previous,
  next,
  isSeries,
  messages,
}: Neighbors & { readonly messages: Messages }) {
  if (!previous && !next) return null;
  const labels = isSeries
    ? { previous: messages.previousPart, next: messages.nextPart, all: messages.series }
    : { previous: messages.previousPost, next: messages.nextPost, all: messages.otherPosts };
  return (
    <nav className="neighbors" aria-label={labels.all}>
      {previous && <Neighbor label={labels.previous} post={previous} rel="prev" />}
      {next && <Neighbor label={labels.next} post={next} rel="next" />}
    </nav>
  );
}
