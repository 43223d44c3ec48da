// Renders an invitation to subscribe: by email if the site has a newsletter, or by feed.

import { siteConfig } from "#lib/core/site-config.ts";
import { FEED_PATHS } from "#lib/posts/feeds/feed-paths.ts";

/** Links instead of a form, so that posts stay the same for everyone. */
export function SubscribeForm({ title = "Get the next post" }: { readonly title?: string }) {
  return (
    <aside className="subscribe" aria-label={title}>
      <p className="subscribe-title">{title}</p>
      <p className="subscribe-links">
        {siteConfig.features.newsletter && (
          <a className="button" href="/subscribe">
            Subscribe by email
          </a>
        )}
        <a className="button" href={FEED_PATHS.rss}>
          RSS feed
        </a>
      </p>
    </aside>
  );
}
