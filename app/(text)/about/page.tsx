// Renders content/pages/about, or the author of site.config.ts where that is missing.

import type { Metadata } from "next";
import { connection } from "next/server";
import { renderTextPage, textPageMetadata } from "#app/(text)/render-text-page.tsx";
import { AuthorPortrait } from "#components/post/author-card.tsx";
import { ProfileLinks } from "#components/ui/profile-links.tsx";
import { siteConfig } from "#lib/core/site-config.ts";
import { findPageBySlug } from "#lib/posts/catalog/site-catalog.ts";
import { feedAlternates } from "#lib/posts/feeds/feed-paths.ts";

export async function generateMetadata(): Promise<Metadata> {
  await connection();
  if (await findPageBySlug("about")) return textPageMetadata("about");
  return { title: "About", alternates: { canonical: "/about", types: feedAlternates } };
}

export default async function Page() {
  await connection();
  const { author } = siteConfig;
  const profiles = (
    <div className="about-author">
      <AuthorPortrait author={author} />
      <ProfileLinks links={author.links} email={author.email} />
    </div>
  );
  if (await findPageBySlug("about")) return renderTextPage("about", profiles);
  return (
    <div className="wrap">
      <header className="page-head">
        <h1>{author.name}</h1>
        <p className="lead">{author.bio ?? siteConfig.description}</p>
      </header>
      {profiles}
    </div>
  );
}
