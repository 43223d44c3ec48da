// The feeds, as metadata lists them. A page with alternates of its own has to repeat them.

export const feedAlternates = {
  "application/rss+xml": [{ url: "/feed.xml", title: "RSS" }],
  "application/atom+xml": [{ url: "/atom.xml", title: "Atom" }],
  "application/feed+json": [{ url: "/feed.json", title: "JSON Feed" }],
};
