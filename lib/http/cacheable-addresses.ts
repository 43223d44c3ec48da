// Lists the addresses that the page cache serves, and how their responses differ between readers
// (docs/decisions/065-page-cache-for-every-kind.md).

import type { IncomingMessage } from "node:http";
import { isRenderRequest } from "#lib/core/render-request.ts";

export interface CacheableAddress {
  /** The path to render; also the key. */
  readonly path: string;
  /** A page has parts that differ between readers. A file has the same bytes for everyone. */
  readonly kind: "page" | "file";
  /** Whether it shows episodes, which change without a new version of the content. */
  readonly hasEpisodes: boolean;
}

const PAGES =
  /^\/(blog(\/[^/]+|\/(topics|archive)\/[^/]+)?|calls(\/[^/]+)?|teams|about|contact|how-we-count|privacy)?$/;
const OWN_PAGES = /^\/calls\/(record|mine|subscribe|upload)$/;
/** Not of a topic or year, which may be named "markdown". */
const FILES =
  /^\/((calls\/|blog\/topics\/[^/]+\/)?feed\.xml|atom\.xml|feed\.json|sitemap\.xml|robots\.txt|llms\.txt|manifest\.webmanifest|blog\/(?!(topics|archive)\/)[^/]+\/(markdown|social\.png))$/;
const WITH_EPISODES = /^\/(calls(\/|$)|sitemap\.xml)/;
/** The hash in the URL of a social image, which its route ignores. */
const IMAGE_VERSION = /(?<=\/social\.png)\?v=[\w-]{1,64}$/;
/**
 * Parameters that newsletters, search engines and social networks add to links. Pages don't read
 * them, and each visitor may have a different value.
 */
const TRACKING_PARAMETER =
  /^(utm_\w+|(d|fb|g|tt|tw|y)clid|msclkid|gclsrc|[gw]braid|srsltid|igshid|mc_[ce]id|mkt_tok|_hs(enc|mi))(=|$)/;
/** A post, which is also sent as Markdown. */
const POST = /^\/blog\/(?!(topics|archive)$)[^/]+$/;

/** Returns the address that a request is for; null if only Next can serve it. */
export function findCacheableAddress({
  method,
  url = "",
  headers,
}: Pick<IncomingMessage, "method" | "url" | "headers">): CacheableAddress | null {
  if (method !== "GET" && method !== "HEAD") return null;
  // Next's client adds its own headers when it requests a page.
  if (headers.rsc !== undefined || headers["next-action"] !== undefined) return null;
  if (isRenderRequest(headers)) return null;
  const requestPath = removeTracking(url).replace(IMAGE_VERSION, "");
  const wantsMarkdown = headers.accept?.includes("text/markdown");
  const path = POST.test(requestPath) && wantsMarkdown ? `${requestPath}/markdown` : requestPath;
  const kind = FILES.test(path)
    ? "file"
    : PAGES.test(path) && !OWN_PAGES.test(path)
      ? "page"
      : null;
  if (kind === null || !isCanonical(path)) return null;
  return { path, kind, hasEpisodes: WITH_EPISODES.test(path) };
}

function removeTracking(url: string): string {
  const queryStart = url.indexOf("?");
  if (queryStart < 0) return url;
  const parameters = url.slice(queryStart + 1).split("&");
  const others = parameters.filter((parameter) => !TRACKING_PARAMETER.test(parameter));
  return url.slice(0, queryStart) + (others.length > 0 ? `?${others.join("&")}` : "");
}

/**
 * Returns whether a path is spelled as the site itself spells it. Otherwise, the endless spellings of
 * one address (`%61` for `a`, a topic in uppercase or with spaces around it) would each be kept.
 */
function isCanonical(path: string): boolean {
  try {
    const names = path.split("/").map(decodeURIComponent);
    const [, , list, topic] = names;
    return (
      path === names.map(encodeURIComponent).join("/") &&
      (list !== "topics" || topic === undefined || isTopicSlug(topic))
    );
  } catch {
    return false;
  }
}

/** Returns whether topicPath() of lib/posts/topics.ts could have returned it. */
const isTopicSlug = (slug: string): boolean =>
  slug === slug.normalize("NFC").toLowerCase() && !/\s/u.test(slug);
