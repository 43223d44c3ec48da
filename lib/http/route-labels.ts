// Labels URLs with routes for metrics and logs: no personal data, low cardinality.

import { isSlug } from "#lib/core/slug.ts";

const PARAMETER_SEGMENT = "[^/]+";

/**
 * Route kinds and their paths. The log shows [slug], which is public, as is, and other segments by
 * name ([id]). tests/routes.test.ts compares this table with the folders of app/.
 */
const ROUTES = {
  home: ["/"],
  list: [
    "/blog",
    "/blog/archive/[year]",
    "/blog/topics/[topic]",
    "/calls",
    "/calls/subscribe",
    "/search",
    "/search/results",
    "/teams",
  ],
  post: ["/blog/[slug]", "/blog/[slug]/markdown", "/blog/[slug]/social.png"],
  preview: ["/preview/[token]"],
  episode: [
    "/calls/[slug]",
    "/calls/art/[slug]/[file]",
    "/calls/audio/[slug]/[file]",
    "/calls/text/[slug]/[file]",
  ],
  text: ["/about", "/contact", "/goodbye", "/how-we-count", "/privacy"],
  feed: [
    "/blog/topics/[topic]/feed.xml",
    "/feed.xml",
    "/atom.xml",
    "/feed.json",
    "/calls/feed.xml",
    "/sitemap.xml",
    "/robots.txt",
    "/manifest.webmanifest",
    "/speculation-rules",
    "/llms.txt",
    "/.well-known/security.txt",
  ],
  login: [
    "/login",
    "/login/code",
    "/login/confirm",
    "/login/device",
    "/login/go",
    "/login/passkey/options",
    "/login/passkey/verify",
    "/signup",
    "/subscribe",
    "/subscribe/confirm",
    "/unsubscribe",
    "/unsubscribe/one-click",
  ],
  member: [
    "/me",
    "/me/data",
    "/me/delete",
    "/me/device",
    "/me/history",
    "/me/passkeys/options",
    "/me/passkeys/verify",
    "/me/saved",
    "/calls/mine",
    "/calls/record",
    "/calls/recording/[id]",
  ],
  upload: ["/calls/upload", "/calls/upload/[id]", "/calls/upload/[id]/[number]"],
  admin: [
    "/admin",
    "/admin/cache",
    "/admin/calls",
    "/admin/calls/[id]",
    "/admin/calls/[id]/answer",
    "/admin/cluster",
    "/admin/content",
    "/admin/deliveries",
    "/admin/log",
    "/admin/newsletter",
    "/admin/newsletter/[id]",
    "/admin/newsletter/[id]/preview",
    "/admin/newsletter/subscribers",
    "/admin/newsletter/subscribers.csv",
    "/admin/posts",
    "/admin/posts/[slug]",
    "/admin/posts/[slug]/view",
    "/admin/reads",
    "/admin/reads/daily.csv",
    "/admin/reads/views.csv",
    "/admin/users",
    "/admin/users/[id]",
  ],
  stream: ["/admin/cluster/events"],
  reads: ["/reads", "/reads/place", "/reads/start", "/reads/token"],
  webhook: ["/api/content-webhook", "/api/newsletter-events"],
  mcp: ["/mcp"],
  health: ["/healthz", "/readyz", "/metrics", "/cluster/here"],
  internal: ["/internal/status", "/internal/cache"],
  picture: ["/icon/[file]", "/embed-image/[hash]", "/content-file/[...path]", "/_img/[file]"],
  "post-code": ["/post-code/[file]"],
} as const;

export type RouteKind = keyof typeof ROUTES | "static" | "other";

export interface RouteLabel {
  readonly kind: RouteKind;
  /** The path as it may appear in the log. */
  readonly path: string;
}

/** Files from the build or public/, which have no handler. */
const STATIC_FILE = /^\/(_next|_br|images|podcast)\//;
/** Next rewrites them to /icon/[file]. */
const ICON_FILE = /^\/(icon\.svg|icon-\d{1,4}\.png|apple-touch-icon\.png|favicon\.ico)$/;
interface RoutePattern {
  readonly kind: RouteKind;
  readonly route: string;
  readonly regex: RegExp;
  /** Index of the [slug] segment; -1 if it has no slug. */
  readonly slugIndex: number;
}

const exactRoutes = new Map<string, RouteLabel>();
const routePatterns: RoutePattern[] = [];
for (const [kind, routes] of Object.entries(ROUTES) as [keyof typeof ROUTES, readonly string[]][]) {
  for (const route of routes) {
    if (!route.includes("[")) exactRoutes.set(route, { kind, path: route });
    else {
      const source = route
        .replace(/[.]/g, "\\.")
        .replace(/\[(\\\.)*\w+\]/g, (name) => (name.startsWith("[\\.") ? ".+" : PARAMETER_SEGMENT));
      routePatterns.push({
        kind,
        route,
        regex: new RegExp(`^${source}$`),
        slugIndex: route.split("/").indexOf("[slug]"),
      });
    }
  }
}

/** Returns the kind and loggable path of `url`, which is a path with or without a query. */
export function labelRoute(url: string): RouteLabel {
  const end = url.search(/[?#]/);
  const path = end < 0 ? url : url.slice(0, end);
  if (STATIC_FILE.test(path)) return { kind: "static", path: "/static" };
  if (ICON_FILE.test(path)) return { kind: "picture", path };
  const exact = exactRoutes.get(path);
  if (exact) return exact;
  for (const { kind, route, regex, slugIndex } of routePatterns) {
    if (!regex.test(path)) continue;
    const slug = slugIndex < 0 ? null : decodeSlug(path.split("/")[slugIndex]!);
    return { kind, path: slug === null ? route : route.replace("[slug]", () => slug) };
  }
  return { kind: "other", path: "/other" };
}

/** A slug of 100 characters, each of them encoded as 9. */
const MAX_ENCODED_CHARS = 900;

/** Returns the slug in a segment; null for other text, which may be personal, so it is not logged. */
function decodeSlug(segment: string): string | null {
  if (segment.length > MAX_ENCODED_CHARS) return null;
  try {
    const slug = decodeURIComponent(segment).normalize("NFC");
    return isSlug(slug) ? slug : null;
  } catch {
    return null;
  }
}

/** All paths in the table. For tests. */
export const ALL_ROUTES: readonly string[] = Object.values(ROUTES).flat();
