// Renders the home page, both for the static variant and for a viewer.

import { PersonalPart } from "#components/ui/personal-part.tsx";
import { ProfileLinks } from "#components/ui/profile-links.tsx";
import { siteConfig } from "#lib/core/site-config.ts";
import type { SessionIds } from "#lib/members/viewer.ts";
import { loadHomeParts } from "./home-parts.tsx";

/** Renders the home page for this viewer. `previousVisitMs`: see readPreviousVisit(). */
export async function renderHome(sessionIds: SessionIds, previousVisitMs: number | null = null) {
  const { parts } = await loadHomeParts(sessionIds, previousVisitMs);
  const { author, home, social } = siteConfig;
  const title = home.title ?? siteConfig.description;
  const intro = home.intro ?? author.bio;
  return (
    <div className="stack wrap leader-accent">
      <header className="masthead">
        <h1>{title}</h1>
        {intro && intro !== title && <p className="lead">{intro}</p>}
        <ProfileLinks links={social.length > 0 ? social : author.links} email={author.email} />
      </header>
      <PersonalPart name="posts">{parts.posts}</PersonalPart>
      <PersonalPart name="race">{parts.race}</PersonalPart>
    </div>
  );
}
