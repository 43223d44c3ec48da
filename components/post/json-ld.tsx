// A post as structured data for search engines, in the page.

import { createBlogPosting, serializeForScript } from "#lib/posts/json-ld.ts";
import type { Post } from "#lib/posts/post.ts";
import { getSiteMetadata } from "#lib/posts/site-metadata.ts";

/** The post's BlogPosting. A data block: no browser runs it, and nothing in the post can end it. */
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
