// Defines the feeds' paths, and the feeds in the form of page metadata.

export const FEED_PATHS = { rss: "/feed.xml", atom: "/atom.xml", json: "/feed.json" } as const;

/** A page that sets `alternates` has to repeat these. */
export const feedAlternates = {
  "application/rss+xml": [{ url: FEED_PATHS.rss, title: "RSS" }],
  "application/atom+xml": [{ url: FEED_PATHS.atom, title: "Atom" }],
  "application/feed+json": [{ url: FEED_PATHS.json, title: "JSON Feed" }],
};
