// Loads and renders the page of a post, both for the static variant and for a viewer.

import type { Metadata } from "next";
import { feedAlternates } from "#lib/posts/feeds/feed-paths.ts";
import { getIndex, findPostBySlug } from "#lib/posts/catalog/site-catalog.ts";
import { postMessages } from "#app/layout-messages.ts";
import { renderNotFound } from "#app/not-found-page.tsx";
import { JsonLd } from "#components/post/json-ld.tsx";
import { MdxContent } from "#components/post/mdx-content.tsx";
import { PostPage } from "#components/post/post-page.tsx";
import { PersonalPart } from "#components/ui/personal-part.tsx";
import { env } from "#lib/core/env.ts";
import { postUrlPath } from "#lib/posts/addresses/post-address.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { findNeighbors } from "#lib/posts/neighbors.ts";
import { formatModification, formatPublication } from "#lib/posts/post-dates.ts";
import { findSeries } from "#lib/posts/series.ts";
import { listTranslations, postLanguage } from "#lib/posts/translations.ts";
import { countedSlug, originalOf, type Post } from "#lib/posts/post.ts";
import { fillPostUrl, postUrl, socialImageUrl } from "#lib/posts/site-metadata.ts";
import type { SessionIds } from "#lib/members/viewer.ts";
import { loadPostParts } from "./post-parts.tsx";

/** Renders the post at `slug` for this viewer, or the 404 page. */
export async function renderPost(slug: string, sessionIds: SessionIds) {
  const post = await findPostBySlug(slug);
  if (!post) return renderNotFound(sessionIds);
  const index = await getIndex();
  const { parts } = await loadPostParts(slug, sessionIds);
  const url = postUrl({ url: env.SITE_URL }, post);
  const series = findSeries(index, slug);
  const { draft } = post.frontMatter;
  return (
    <PostPage
      post={post}
      series={series}
      neighbors={findNeighbors(index, countedSlug(index, slug), series)}
      translations={listTranslations(index, post).filter((each) => each.slug !== slug)}
      messages={postMessages(post)}
      standings={<PersonalPart name="standings">{parts.standings}</PersonalPart>}
      recommendations={<PersonalPart name="recommendations">{parts.recommendations}</PersonalPart>}
      save={siteConfig.features.members && <PersonalPart name="save">{parts.save}</PersonalPart>}
      continueReading={<PersonalPart name="continue">{parts.continue}</PersonalPart>}
      readMark={!draft && <PersonalPart name="read-mark">{parts["read-mark"]}</PersonalPart>}
      url={url}
      editUrl={fillPostUrl(siteConfig.editUrl, post)}
      discussUrl={fillPostUrl(siteConfig.discussUrl, post)}
      author={siteConfig.author}
      license={siteConfig.license}
      isCounted={!draft}
      extras={<JsonLd post={post} />}
    >
      <MdxContent post={post} />
    </PostPage>
  );
}

/** Returns the page's metadata; drafts and unlisted posts are noindex. */
export async function postMetadata(slug: string): Promise<Metadata> {
  const post = await findPostBySlug(slug);
  if (!post) return { title: "Not found", robots: { index: false } };
  const { title, description, categories, keywords, draft, unlisted } = post.frontMatter;
  const path = postUrlPath(post);
  const images = [
    { url: socialImageUrl({ url: env.SITE_URL }, post), width: 1200, height: 630, alt: title },
  ];
  return {
    title,
    description,
    keywords: [...keywords],
    alternates: {
      canonical: path,
      languages: await alternateLanguages(post),
      types: { ...feedAlternates, "text/markdown": [{ url: `${path}.md`, title: "Markdown" }] },
    },
    robots: draft || unlisted ? { index: false, follow: false } : undefined,
    openGraph: {
      type: "article",
      title,
      description,
      url: path,
      siteName: siteConfig.name,
      locale: postLanguage(post),
      publishedTime: formatPublication(post),
      modifiedTime: formatModification(post),
      authors: [siteConfig.author.name],
      tags: [...categories],
      images,
    },
    twitter: { card: "summary_large_image", title, description, images },
  };
}

/** Returns the addresses of a post's languages for hreflang, itself included; none without another. */
async function alternateLanguages(post: Post): Promise<Record<string, string>> {
  const index = await getIndex();
  const translations = listTranslations(index, post);
  if (translations.length < 2) return {};
  return Object.fromEntries([
    ...translations.map((each) => [postLanguage(each), postUrlPath(each)]),
    ["x-default", postUrlPath(originalOf(index, post))],
  ]) as Record<string, string>;
}
