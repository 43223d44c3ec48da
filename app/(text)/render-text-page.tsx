// Renders a text page: content/pages/<slug>.

import type { Metadata } from "next";
import type { ReactNode } from "react";
import { findPageBySlug } from "#lib/posts/catalog/site-catalog.ts";
import { feedAlternates } from "#lib/posts/feeds/feed-paths.ts";
import { isListed } from "#lib/posts/post.ts";
import { renderNotFound } from "#app/not-found-page.tsx";
import { MdxContent } from "#components/post/mdx-content.tsx";
import { PROSE_CLASS } from "#components/post/prose-class.ts";

/** Returns the page's metadata; drafts and unlisted pages are noindex. */
export async function textPageMetadata(slug: string): Promise<Metadata> {
  const page = await findPageBySlug(slug);
  if (!page) return { title: "Not found", robots: { index: false } };
  const { title, description } = page.frontMatter;
  return {
    title,
    description,
    alternates: { canonical: `/${slug}`, types: feedAlternates },
    robots: isListed(page) ? undefined : { index: false, follow: false },
  };
}

/** Renders content/pages/`slug` and `end`, or the 404 page. */
export async function renderTextPage(slug: string, end?: ReactNode) {
  const page = await findPageBySlug(slug);
  if (!page) return renderNotFound({ sessionKey: null, clientId: null });
  return (
    <article className="wrap">
      <header className="page-head">
        <h1>{page.frontMatter.title}</h1>
        {page.frontMatter.description && <p className="lead">{page.frontMatter.description}</p>}
      </header>
      <div className={PROSE_CLASS}>
        <MdxContent post={page} />
      </div>
      {end}
    </article>
  );
}
