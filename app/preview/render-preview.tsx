// Renders a post as a guest would see it, without counting a read.

import type { ReactNode } from "react";
import { loadPostParts } from "#app/blog/[slug]/post-parts.tsx";
import { postMessages } from "#app/layout-messages.ts";
import { MdxContent } from "#components/post/mdx-content.tsx";
import { PostPage } from "#components/post/post-page.tsx";
import { env } from "#lib/core/env.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { getIndex } from "#lib/posts/catalog/site-catalog.ts";
import { findNeighbors } from "#lib/posts/neighbors.ts";
import { type Post, findPost } from "#lib/posts/post.ts";
import { findSeries } from "#lib/posts/series.ts";
import { postUrl } from "#lib/posts/site-metadata.ts";

const GUEST = { sessionKey: null, clientId: null };

/** `notice` says why the post can be seen. A hidden post has no standings and no neighbors. */
export async function renderPreview(post: Post, notice: ReactNode) {
  const index = await getIndex();
  const { slug } = post;
  const isVisible = findPost(index, slug) !== null;
  const parts = isVisible ? (await loadPostParts(slug, GUEST)).parts : null;
  const series = findSeries(index, slug);
  return (
    <>
      <p className="notice preview-notice" role="note">
        {notice}
      </p>
      <PostPage
        post={post}
        series={series}
        messages={postMessages(post)}
        neighbors={findNeighbors(index, slug, series)}
        standings={parts?.standings}
        recommendations={parts?.recommendations}
        readMark={null}
        url={postUrl({ url: env.SITE_URL }, post)}
        editUrl={null}
        discussUrl={null}
        author={siteConfig.author}
        license={siteConfig.license}
      >
        <MdxContent post={post} />
      </PostPage>
    </>
  );
}
