// Renders content/pages/contact or, if it is missing, the owner's contact details from
// site.config.ts. An address needs no spam filter, unlike a form.

import type { Metadata } from "next";
import { connection } from "next/server";
import { renderTextPage, textPageMetadata } from "#app/(text)/render-text-page.tsx";
import { AuthorPortrait } from "#components/post/author-card.tsx";
import { ProfileLinks } from "#components/ui/profile-links.tsx";
import { siteConfig } from "#lib/core/site-config.ts";
import { findPageBySlug } from "#lib/posts/catalog/site-catalog.ts";

export async function generateMetadata(): Promise<Metadata> {
  await connection();
  if (await findPageBySlug("contact")) return textPageMetadata("contact");
  return {
    title: "Contact",
    description: `How to reach ${siteConfig.author.name}.`,
    alternates: { canonical: "/contact" },
  };
}

export default async function Page() {
  await connection();
  if (await findPageBySlug("contact")) return renderTextPage("contact");
  const { author, features, social } = siteConfig;
  const profiles = author.links.length > 0 ? author.links : social;
  return (
    <div className="wrap">
      <header className="page-head">
        <h1>Contact</h1>
        <p className="lead">How to reach {author.name}.</p>
      </header>
      <div className="prose">
        {author.email && (
          <p>
            By email: <a href={`mailto:${author.email}`}>{author.email}</a>
          </p>
        )}
        {features.calls && (
          <p>
            For the podcast: <a href="/calls/record">leave a call</a>. We’ll email you when it’s
            answered.
          </p>
        )}
        {profiles.length > 0 && <p>Elsewhere:</p>}
      </div>
      <div className="about-author">
        <AuthorPortrait author={author} />
        <ProfileLinks links={profiles} />
      </div>
    </div>
  );
}
