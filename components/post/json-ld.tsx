// Renders a post as structured data for search engines.

import { createBlogPosting, serializeForScript } from "#lib/posts/json-ld.ts";
import type { Post } from "#lib/posts/post.ts";
import { getSiteMetadata } from "#lib/posts/site-metadata.ts";

/** The post's BlogPosting as a data block, escaped against XSS. */
export function JsonLd({ post }: { post: Post }) {
  return (
    <script
      type="application/ld+json"
      dangerouslySetInnerHTML={{
        __html: serializeForScript(createBlogPosting(post, getSiteMetadata())),
      }}
    />
  );
}
