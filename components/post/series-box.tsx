// Renders a post's place in its series, with links to all parts.

import type { Messages } from "#lib/core/messages/en.ts";
import { postUrlPath } from "#lib/posts/addresses/post-address.ts";
import type { Post } from "#lib/posts/post.ts";
import { languageAttributes } from "#lib/posts/post-language.ts";
import type { Series } from "#lib/posts/series.ts";

function PartLink({ post, isCurrent = false }: { post: Post; isCurrent?: boolean }) {
  const language = languageAttributes(post.frontMatter);
  return isCurrent ? (
    <strong aria-current="page" {...language}>
      {post.frontMatter.title}
    </strong>
  ) : (
    <a href={postUrlPath(post)} {...language}>
      {post.frontMatter.title}
    </a>
  );
}

/** Collapsed, because a long list would push the text down. */
export function SeriesBox({
  series,
  slug,
  messages,
}: {
  series: Series;
  slug: string;
  messages: Messages;
}) {
  return (
    <details className="series">
      <summary>
        <span>
          {messages.seriesPart(series.number, series.total)} · <bdi>{series.name}</bdi>
        </span>
      </summary>
      <nav aria-label={messages.seriesParts}>
        <ol>
          {series.parts.map(({ post, number }) => (
            <li key={post.slug} value={number}>
              <PartLink post={post} isCurrent={post.slug === slug} />
            </li>
          ))}
        </ol>
      </nav>
    </details>
  );
}
