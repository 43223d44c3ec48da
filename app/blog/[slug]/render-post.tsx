// What the page of a post needs, for the shared variant and for a reader of their own alike.

import type { Metadata } from "next";
import { feedAlternates } from "#lib/posts/feeds/feed-alternates.ts";
import { getIndex, getPost } from "#lib/posts/catalog/site-catalog.ts";
import { setNotFoundStatus, NotFoundPage } from "#app/not-found-page.tsx";
import { readPostPageData } from "#lib/posts/page-data.ts";
import { recommendationCards } from "#components/post/recommendation-cards.ts";
import { JsonLd } from "#components/post/json-ld.tsx";
import { MdxContent } from "#components/post/mdx-content.tsx";
import { PostPage } from "#components/post/post-page.tsx";
import { ReadCounter } from "#components/post/read-counter.tsx";
import { env } from "#lib/core/env.ts";
import { socialImageUrl } from "#lib/posts/site-metadata.ts";
import type { SessionIds } from "#lib/members/session/session.ts";

/** Where a post's file can be changed, or null when the repository is not known. */
function editUrl(path: string): string | null {
  if (!env.REPOSITORY_URL) return null;
  return [
    env.REPOSITORY_URL.replace(/\/+$/, ""),
    "edit",
    env.CONTENT_GIT_BRANCH,
    env.CONTENT_GIT_PATH,
    path,
  ]
    .filter(Boolean)
    .join("/");
}

/** The page of the post at `slug` for this reader; the page and status of a missing one when there is no such post. `readData` is replaced by the benchmarks alone. */
export async function renderPost(slug: string, identity: SessionIds, readData = readPostPageData) {
  const post = await getPost(slug);
  if (!post) {
    setNotFoundStatus();
    return <NotFoundPage identity={identity} />;
  }
  const index = await getIndex();
  const data = await readData(identity, slug);
  const url = `${env.SITE_URL}/blog/${slug}`;
  return (
    <PostPage
      post={post}
      standings={data.standings}
      reads={data.reads}
      recommendations={recommendationCards(index, data, slug)}
      url={url}
      editUrl={editUrl(post.path)}
      author={env.SITE_AUTHOR}
      extras={
        <>
          {!post.frontMatter.draft && (
            <ReadCounter slug={slug} readingMinutes={post.compiled.readingMinutes} />
          )}
          <JsonLd post={post} />
        </>
      }
    >
      <MdxContent post={post} />
    </PostPage>
  );
}

/** Title, description, canonical address, social image; kept out of search engines where it stands in no list. */
export async function postMetadata(slug: string): Promise<Metadata> {
  const post = await getPost(slug);
  if (!post) return { title: "Not found", robots: { index: false } };
  const { title, description, date, categories, keywords, draft, unlisted } = post.frontMatter;
  const path = `/blog/${slug}`;
  const images = [
    { url: socialImageUrl({ url: env.SITE_URL }, post), width: 1200, height: 630, alt: title },
  ];
  return {
    title,
    description,
    keywords: [...keywords],
    alternates: {
      canonical: path,
      types: { ...feedAlternates, "text/markdown": [{ url: `${path}.md`, title: "Markdown" }] },
    },
    robots: draft || unlisted ? { index: false, follow: false } : undefined,
    openGraph: {
      type: "article",
      title,
      description,
      url: path,
      siteName: env.SITE_NAME,
      publishedTime: date,
      authors: [env.SITE_AUTHOR],
      tags: [...categories],
      images,
    },
    twitter: { card: "summary_large_image", title, description, images },
  };
}
