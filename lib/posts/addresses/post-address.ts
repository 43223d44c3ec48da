// Builds the addresses of posts from the pattern in site.config.ts (content.address).

import { ALL_ROUTES } from "#lib/http/route-labels.ts";
import { siteConfig } from "#lib/core/site-config.ts";

/** The data that a post's address depends on. */
export interface Addressable {
  readonly slug: string;
  readonly frontMatter: { readonly date: string };
}

const ROUTE_PREFIX = "/blog/";
/** The pattern whose addresses are the site's own routes. */
const ROUTE_PATTERN = `${ROUTE_PREFIX}:slug`;

/** Returns the path of a post, percent-encoded once. */
export function postUrlPath(post: Addressable): string {
  return encodePath(postAddress(post));
}

/** Returns the path of a post, not encoded, as a key for comparisons. */
export function postAddress({ slug, frontMatter }: Addressable): string {
  if (siteConfig.content.address === ROUTE_PATTERN) return slugRoute(slug);
  const [year = "", month = "", day = ""] = frontMatter.date.split("-");
  const values: Readonly<Record<string, string>> = { year, month, day, slug };
  return siteConfig.content.address.replace(/:(\w+)/g, (all, name: string) => values[name] ?? all);
}

/** Returns the path at which the site's own route shows a post, not encoded. */
export function slugRoute(slug: string): string {
  return ROUTE_PREFIX + slug;
}

/** Returns the path for Next's router, percent-encoded: a slug is one segment even with slashes. */
export function postRoutePath(slug: string): string {
  return ROUTE_PREFIX + encodeURIComponent(slug);
}

/** Returns the last segment of a decoded path of that form, or null. */
export function slugOfRoute(path: string): string | null {
  const slug = path.startsWith(ROUTE_PREFIX) ? path.slice(ROUTE_PREFIX.length) : "";
  return slug === "" || slug.includes("/") ? null : slug;
}

/**
 * Returns the slug in a route parameter, which Next passes encoded. A slug has no "%", so decoding
 * twice is harmless.
 */
export function slugFromParam(param: string): string {
  try {
    return decodeURIComponent(param).normalize("NFC");
  } catch {
    return param;
  }
}

/** Encodes each segment of a decoded path. */
export function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

/** First segments of the site's routes, and of files that it serves. */
const RESERVED_SEGMENTS = new Set([
  ...ALL_ROUTES.map((route) => route.split("/")[1]!).filter((segment) => !segment.startsWith("[")),
  "_next",
  "static",
  "dev",
]);

/** Returns why a post can't have its address, as a sentence; null if it can. */
export function findAddressProblem(post: Addressable): string | null {
  const { address } = siteConfig.content;
  const path = postAddress(post);
  if (address === ROUTE_PATTERN) return null;
  if (/:(?:year|month|day)\b/.test(address) && post.frontMatter.date === "")
    return `The address ${address} needs a date.`;
  const first = path.split("/")[1]!;
  return RESERVED_SEGMENTS.has(first) && !address.startsWith(`/${first}/`)
    ? `The slug results in the address ${path}, which belongs to a page of this site. Set slug to another one.`
    : null;
}

/** Throws an Error if content.address can't be the pattern of all posts. */
export function assertAddressPattern(): void {
  const problem = findPatternProblem(siteConfig.content.address);
  if (problem !== null)
    throw new Error(`site.config.ts is invalid.\n  content.address: ${problem}`);
}

/** Returns why `address` can't be the pattern of all posts, as a sentence; null if it can. */
export function findPatternProblem(address: string): string | null {
  const names = [...address.matchAll(/:(\w+)/g)].map(([, name]) => name!);
  const unknown = names.find((name) => !["year", "month", "day", "slug"].includes(name));
  if (unknown !== undefined) return `:${unknown} is unknown; use :year, :month, :day and :slug`;
  const first = address.split("/")[1]!;
  return first !== "blog" && RESERVED_SEGMENTS.has(first)
    ? `/${first}/ belongs to pages of this site; use /blog/:slug or another first segment`
    : null;
}
