// Lists the oEmbed endpoints that may be requested.

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

/**
 * Hosts whose oEmbed endpoint any page may link. All other endpoints must be on the page's own
 * host.
 */
const DISCOVERED_HOSTS = new Set([
  ...Object.values(PROVIDERS).map(({ endpoint }) => new URL(endpoint).host),
  "vimeo.com",
  "soundcloud.com",
  "open.spotify.com",
  "speakerdeck.com",
]);

/**
 * Returns the oEmbed request for a link; null for pages. EMBED_PROVIDER_ORIGIN replaces every
 * provider's origin.
 */
export function providerOembedRequest(
  kind: LinkPreviewKind,
  canonicalUrl: string,
): { name: string; url: string } | null {
  if (kind === "page") return null;
  const { name, endpoint } = PROVIDERS[kind];
  const { pathname, search } = new URL(endpoint);
  const url = env.EMBED_PROVIDER_ORIGIN
    ? new URL(pathname + search, env.EMBED_PROVIDER_ORIGIN)
    : new URL(endpoint);
  url.searchParams.set("url", canonicalUrl);
  return { name, url: url.href };
}

/**
 * Returns the oEmbed URL that a page links if it is on the page's host or a known one, else null
 * (SSRF).
 */
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
