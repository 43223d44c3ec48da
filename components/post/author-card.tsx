// Renders the author below a post and on the home page: portrait, name, bio and links.

import { SiteMark } from "#components/ui/logo.tsx";
import { ProfileLinks } from "#components/ui/profile-links.tsx";
import type { Messages } from "#lib/core/messages/en.ts";
import type { SiteConfig } from "#lib/core/site-config-schema.ts";

export type Author = SiteConfig["author"];

/** The portrait; nothing without one. */
export function AuthorPortrait({ author }: { author: Author }) {
  if (!author.portrait) return null;
  return (
    <img
      className="author-portrait"
      src={author.portrait}
      alt=""
      width={64}
      height={64}
      loading="lazy"
    />
  );
}

export function AuthorCard({ author, messages }: { author: Author; messages: Messages }) {
  return (
    <section className="author" aria-labelledby="author-title">
      {author.portrait ? <AuthorPortrait author={author} /> : <SiteMark />}
      <div>
        <h2 id="author-title">{author.name}</h2>
        <p>
          {author.bio && <>{author.bio} </>}
          <a href="/about">{messages.aboutAuthor(author.name)}</a>
        </p>
        <ProfileLinks links={author.links} email={author.email} />
      </div>
    </section>
  );
}
