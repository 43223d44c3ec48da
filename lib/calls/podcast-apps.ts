// Builds the links that subscribe to the podcast in apps.

/** Apps that have their own link format for subscribing to a feed. */
const APP_LINKS: readonly { label: string; toUrl: (feed: URL) => string }[] = [
  { label: "Apple Podcasts", toUrl: ({ host, pathname }) => `podcast://${host}${pathname}` },
  {
    label: "Overcast",
    toUrl: ({ href }) => `overcast://x-callback-url/add?url=${encodeURIComponent(href)}`,
  },
  { label: "Pocket Casts", toUrl: ({ host, pathname }) => `pktc://subscribe/${host}${pathname}` },
];

export interface PodcastAppLink {
  readonly label: string;
  readonly url: string;
}

const firstWord = (label: string) => label.toLowerCase().split(/\s+/)[0];

/** Returns the links of apps that are not among the owner's directories. */
export function listAppLinks(
  feedUrl: string,
  directories: readonly PodcastAppLink[],
): PodcastAppLink[] {
  const listed = new Set(directories.map(({ label }) => firstWord(label)));
  return APP_LINKS.filter(({ label }) => !listed.has(firstWord(label))).map(({ label, toUrl }) => ({
    label,
    url: toUrl(new URL(feedUrl)),
  }));
}
