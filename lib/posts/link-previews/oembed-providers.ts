// The oEmbed endpoints that are asked: these, and no others.

import { env } from "#lib/core/env.ts";
import type { LinkPreviewKind } from "./link-preview.ts";

interface Provider {
  readonly name: string;
  readonly endpoint: string;
}

const PROVIDERS: Readonly<Record<Exclude<LinkPreviewKind, "page">, Provider>> = {
  tweet: {
    name: "X",
    endpoint: "https://publish.twitter.com/oembed?omit_script=1&dnt=true&lang=en&hide_thread=true",
  },
  youtube: { name: "YouTube", endpoint: "https://www.youtube.com/oembed?format=json" },
  codesandbox: { name: "CodeSandbox", endpoint: "https://codesandbox.io/oembed?format=json" },
  codepen: { name: "CodePen", endpoint: "https://codepen.io/api/oembed?format=json" },
};

/** Hosts whose oEmbed endpoint may be asked because a page names it; any other must be the page's own host. */
const DISCOVERED_HOSTS = new Set([
  ...Object.values(PROVIDERS).map(({ endpoint }) => new URL(endpoint).host),
  "vimeo.com",
  "soundcloud.com",
  "open.spotify.com",
  "speakerdeck.com",
]);

/** What to ask about a link of this kind; null for pages. EMBED_PROVIDER_ORIGIN stands in for every provider's origin. */
export function providerOembedRequest(
  kind: LinkPreviewKind,
  canonicalUrl: string,
): { name: string; url: string } | null {
  if (kind === "page") return null;
  const { name, endpoint } = PROVIDERS[kind];
  const asked = new URL(endpoint);
  const url = env.EMBED_PROVIDER_ORIGIN
    ? new URL(asked.pathname + asked.search, env.EMBED_PROVIDER_ORIGIN)
    : asked;
  url.searchParams.set("url", canonicalUrl);
  return { name, url: url.href };
}

/** The oEmbed URL that a page names, if it may be asked: on the page's own host or a known one; null otherwise. */
export function discoveredOembedUrl(pageUrl: string, href: string): string | null {
  if (!URL.canParse(href, pageUrl)) return null;
  const page = new URL(pageUrl);
  const url = new URL(href, pageUrl);
  const isKnown = url.protocol === "https:" && DISCOVERED_HOSTS.has(url.host);
  return url.origin === page.origin ||
    (url.protocol === "https:" && url.hostname === page.hostname) ||
    isKnown
    ? url.href
    : null;
}
