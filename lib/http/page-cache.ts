// Serves shared responses from memory, before Next sees the request: the page cache. For readers
// with cookies, it fills in their personal parts. docs/decisions/052-page-cache.md, 056-personal-parts.md

import { LRUCache } from "lru-cache";
import { COOKIE_NAMES, getCookieName } from "#lib/core/cookie-names.ts";
import { nowMs, SECOND_MS } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { log } from "#lib/core/log.ts";
import { incrementCounter } from "#lib/core/metrics.ts";
import { runOutsideRequest } from "#lib/core/request-context.ts";
import { peekSingleton, singleton } from "#lib/core/singleton.ts";
import { hasOwnWrites } from "#lib/replication/read-your-writes.ts";
import { parseByteRange } from "./byte-range.ts";
import { matchesETag } from "./conditional-response.ts";
import { findCookie, parseCookies } from "./cookie-header.ts";
import { type CacheableAddress, findCacheableAddress } from "./cacheable-addresses.ts";
import { fillTemplate } from "./page-template.ts";
import { isPageView } from "./page-view.ts";
import { parseReaderLanguages } from "./reader-languages.ts";
import type { PipelineContext } from "./pipeline-context.ts";
import { type Encoding, type RenderedPage, canRenderPages, renderPage } from "./render-page.ts";

/**
 * How long a page is served, because standings change. It is rendered again ten seconds earlier.
 */
const MAX_AGE_MS = 60 * SECOND_MS;
const REFRESH_AGE_MS = 50 * SECOND_MS;
/** Headers for a page that is the same for everyone. */
const SHARED_ONLY_HEADERS = /^(etag$|x-nextjs-)/;
const MAX_BYTES = 64 * 1_048_576;
/** Above this, a request goes to Next like any other. */
const MAX_RENDERS = 64;

interface CachedPage extends RenderedPage {
  /** The content version when rendering started. */
  readonly version: string;
  readonly renderedMs: number;
}

const pages = singleton(
  "page-cache",
  () =>
    new LRUCache<string, CachedPage>({
      maxSize: MAX_BYTES,
      // A template's segments add about the size of the page again, plain and compressed.
      sizeCalculation: ({ bodies: { identity, br, gzip }, template }) =>
        1_000 + (br?.length ?? 0) + (identity.length + (gzip?.length ?? 0)) * (template ? 2 : 1),
    }),
);
const renders = singleton("page-cache-renders", () => new Map<string, Promise<CachedPage>>());

/** A request for the page at `path`. */
export interface PersonalRequest {
  readonly path: string;
  /** True if it comes from a browser that shows the page. */
  readonly isPageView: boolean;
  readonly findCookie: (name: string) => string | undefined;
  /** Sets a cookie with the page: a Set-Cookie header value. */
  readonly setCookie: (header: string) => void;
}
interface PersonalParts {
  /** Resolves to the HTML of each personal part; null if only Next can serve that reader. */
  readonly render: (request: PersonalRequest) => Promise<Record<string, string> | null>;
  /** Returns whether readers without cookies who prefer this language get their own parts, too. */
  readonly isTranslated: (path: string, language: string) => boolean;
}

export function providePersonalParts(parts: PersonalParts): void {
  singleton("personal-parts", () => parts);
}

/** Sets the function that returns a version, which changes whenever an episode does. */
export function provideEpisodesVersion(find: () => Promise<string>): void {
  singleton("episodes-version", () => find);
}

/** Returns the version that a response must have; undefined if only Next can serve the address. */
async function findVersion({ hasEpisodes }: CacheableAddress): Promise<string | undefined> {
  const content = peekSingleton<() => string>("content-version")?.();
  if (content === undefined || !hasEpisodes) return content;
  const episodes = await peekSingleton<() => Promise<string>>("episodes-version")?.();
  return episodes === undefined ? undefined : `${content} ${episodes}`;
}

/** Returns whether the browser has none of the site's cookies, so that it gets what everyone gets. */
const hasNoSiteCookies = ({ request: { headers } }: PipelineContext): boolean =>
  !COOKIE_NAMES.some((name) => findCookie(headers.cookie ?? "", name) !== undefined);

const hasClientWrites = ({ request: { headers } }: PipelineContext): boolean =>
  hasOwnWrites(findCookie(headers.cookie ?? "", getCookieName("txid")));

function prefersTranslation(
  { request }: PipelineContext,
  { path }: CacheableAddress,
  parts: PersonalParts,
): boolean {
  const [language] = parseReaderLanguages(request.headers["accept-language"]);
  return language !== undefined && parts.isTranslated(path, language);
}

/**
 * Sends the response if it can be served without Next, and returns whether it takes the request.
 * Calls `fallback` if the rendering fails, or if only Next can serve this reader.
 */
export function serveCachedPage(context: PipelineContext, fallback: () => void): boolean {
  if (!env.PAGE_CACHE || !canRenderPages()) return false;
  const address = findCacheableAddress(context.request);
  if (!address) return false;
  void serve(context, address)
    .catch(() => false)
    .then((isServed) => {
      if (!isServed) fallback();
    });
  return true;
}

/** Resolves to true if it sent the response. Renders the page first unless a copy is less than a minute old. */
async function serve(context: PipelineContext, address: CacheableAddress): Promise<boolean> {
  const parts = peekSingleton<PersonalParts>("personal-parts");
  const isShared =
    address.kind === "file" ||
    (hasNoSiteCookies(context) && !(parts && prefersTranslation(context, address, parts)));
  if (!isShared && !parts) return false;
  // The middleware waits until this instance has the client's writes. Personal parts check this themselves.
  if (address.kind === "file" && !hasClientWrites(context)) return false;
  const version = await findVersion(address);
  const page = version === undefined ? null : await findPage(address, version);
  if (!page) return false;
  if (isShared) sendPage(context, page, address);
  return isShared || sendPersonalPage(context, page, address, parts!);
}

/** Returns the page or its rendering; null if too many are in progress. */
function findPage(
  address: CacheableAddress,
  version: string,
): CachedPage | Promise<CachedPage> | null {
  const page = pages.get(address.path);
  const ageMs = page?.version === version ? nowMs() - page.renderedMs : Infinity;
  if (!page || ageMs < 0 || ageMs >= MAX_AGE_MS) return startRender(address, version);
  if (ageMs > REFRESH_AGE_MS) void startRender(address, version)?.catch(() => {});
  return page;
}

/** Resolves to whether it sent the page with the reader's own parts. */
async function sendPersonalPage(
  context: PipelineContext,
  { status, template, headers: sharedHeaders }: CachedPage,
  { path }: CacheableAddress,
  { render }: PersonalParts,
): Promise<boolean> {
  if (status !== 200 || !template) return false;
  const { request } = context;
  const cookies = parseCookies(request.headers.cookie ?? "");
  const encoding = acceptsGzip(request.headers["accept-encoding"]) ? "gzip" : "identity";
  const setCookies: string[] = [];
  let body: Buffer;
  try {
    const parts = await render({
      path,
      setCookie: (header) => setCookies.push(header),
      isPageView: isPageView(request.method, (name) => String(request.headers[name] ?? "")),
      findCookie: (name) => cookies.get(name),
    });
    if (parts === null) return false;
    body = fillTemplate(template, parts, encoding);
    // oxlint-disable-next-line lectern/no-swallowed-replay -- only reads
  } catch (error) {
    log("warn", "page.parts_failed", { path, error });
    return false;
  }
  incrementCounter("personal_pages_sent");
  const headers = Object.fromEntries(
    Object.entries(sharedHeaders).filter(([name]) => !SHARED_ONLY_HEADERS.test(name)),
  );
  if (!context.response.headersSent)
    for (const header of setCookies) context.response.appendHeader("set-cookie", header);
  send(context, { status, headers, encoding, body });
  return true;
}

/** Returns the current or a new rendering of `path`; null if too many are in progress. */
function startRender(address: CacheableAddress, version: string): Promise<CachedPage> | null {
  const key = `${version} ${address.path}`;
  const running = renders.get(key);
  if (running) return running;
  if (renders.size >= MAX_RENDERS) return null;
  const started = runOutsideRequest(() => render(address, version)).finally(() =>
    renders.delete(key),
  );
  renders.set(key, started);
  return started;
}

async function render(address: CacheableAddress, version: string): Promise<CachedPage> {
  const { path } = address;
  const renderedMs = nowMs();
  try {
    const page: CachedPage = { ...(await renderPage(address)), version, renderedMs };
    if (page.headers["set-cookie"]) throw new Error("The shared page sets a cookie.");
    // A version may return, if an episode is published and taken down, or a commit reverted. What was
    // rendered from the state in between must not return with it.
    if (page.status === 200 && (await findVersion(address)) === version) pages.set(path, page);
    incrementCounter("cached_pages_rendered");
    return page;
  } catch (error) {
    log("warn", "page.render_failed", { path, error });
    throw error;
  }
}

const acceptsGzip = (accepted: string | string[] | undefined): boolean =>
  /\bgzip\b/.test(String(accepted ?? ""));

/** Returns the body in the best encoding that the client accepts. */
function chooseBody(
  { bodies: { identity, br, gzip } }: CachedPage,
  accepted: string | string[] | undefined,
): { encoding: Encoding; body: Buffer } {
  if (br && /\bbr\b/.test(String(accepted ?? ""))) return { encoding: "br", body: br };
  if (gzip && acceptsGzip(accepted)) return { encoding: "gzip", body: gzip };
  return { encoding: "identity", body: identity };
}

function sendPage(context: PipelineContext, page: CachedPage, { kind }: CacheableAddress): void {
  const { request, response } = context;
  if (response.headersSent || response.destroyed) return;
  const { status, headers } = page;
  if (
    status === 200 &&
    typeof headers.etag === "string" &&
    matchesETag(request.headers["if-none-match"], headers.etag)
  ) {
    setHeaders(response, headers);
    response.writeHead(304).end();
    return;
  }
  const chosen = chooseBody(page, request.headers["accept-encoding"]);
  if (kind === "file" && status === 200 && chosen.encoding === "identity")
    sendRange(context, headers, chosen.body);
  else send(context, { status, headers, ...chosen });
}

/** Sends the range that the client requests, or the whole body (RFC 9110, 14). */
function sendRange(context: PipelineContext, sent: CachedPage["headers"], body: Buffer): void {
  const { method, headers: requested } = context.request;
  const { length } = body;
  const headers = { ...sent, "accept-ranges": "bytes" };
  // If-Range needs a strong ETag, which a body that is also sent compressed doesn't have.
  const range =
    method !== "GET" || requested["if-range"] !== undefined
      ? null
      : parseByteRange(requested.range ?? null, length);
  if (range === null) return send(context, { status: 200, headers, encoding: "identity", body });
  const isBad = range === "bad";
  send(context, {
    status: isBad ? 416 : 206,
    headers: {
      ...headers,
      "content-range": isBad ? `bytes */${length}` : `bytes ${range.start}-${range.end}/${length}`,
    },
    encoding: "identity",
    body: isBad ? Buffer.alloc(0) : body.subarray(range.start, range.end + 1),
  });
}

function send(
  { request, response }: PipelineContext,
  {
    status,
    headers,
    encoding,
    body,
  }: Pick<CachedPage, "status" | "headers"> & { encoding: Encoding; body: Buffer },
): void {
  if (response.headersSent || response.destroyed) return;
  setHeaders(response, headers);
  if (encoding !== "identity") response.setHeader("content-encoding", encoding);
  response.setHeader("content-length", body.length);
  response.writeHead(status);
  response.end(request.method === "HEAD" ? undefined : body);
}

function setHeaders(response: PipelineContext["response"], headers: CachedPage["headers"]): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
}
