// Serves the pages that readers share as finished bytes, before Next sees the request. For a reader
// with cookies, it replaces the personal parts. docs/decisions/052-finished-pages.md, 056-personal-parts.md

import { LRUCache } from "lru-cache";
import { COOKIE_NAMES } from "#lib/core/cookie-names.ts";
import { nowMs, SECOND_MS } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { log } from "#lib/core/log.ts";
import { incrementCounter } from "#lib/core/metrics.ts";
import { isRenderRequest } from "#lib/core/render-request.ts";
import { runOutsideRequest } from "#lib/core/request-context.ts";
import { peekSingleton, singleton } from "#lib/core/singleton.ts";
import { matchesETag } from "./conditional-response.ts";
import { findCookie, parseCookies } from "./cookie-header.ts";
import { fillTemplate } from "./page-template.ts";
import { isPageView } from "./page-view.ts";
import { parseReaderLanguages } from "./reader-languages.ts";
import type { PipelineContext } from "./pipeline-context.ts";
import { type Encoding, type RenderedPage, canRenderPages, renderPage } from "./render-page.ts";

/** The pages of app/(static), which depend only on the request's path. */
const SHARED_PATH = /^\/(blog\/[^/?]+)?$/;

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

interface FinishedPage extends RenderedPage {
  /** The content version when rendering started. */
  readonly version: string;
  readonly renderedMs: number;
}

const pages = singleton(
  "finished-pages",
  () =>
    new LRUCache<string, FinishedPage>({
      maxSize: MAX_BYTES,
      // A template's segments share the page's bytes; compressed, they are about as large as the gzip.
      sizeCalculation: ({ bodies }) =>
        1_000 + 2 * bodies.identity.length + bodies.br.length + 2 * bodies.gzip.length,
    }),
);
const renders = singleton("finished-page-renders", () => new Map<string, Promise<FinishedPage>>());

/** A request for the page at `path`. */
export interface PersonalRequest {
  readonly path: string;
  /** True if it comes from a browser that shows the page. */
  readonly isPageView: boolean;
  readonly findCookie: (name: string) => string | undefined;
}
/** Resolves to the HTML of each personal part; null if only Next can serve that reader. */
type RenderParts = (request: PersonalRequest) => Promise<Record<string, string> | null>;

interface PersonalParts {
  readonly render: RenderParts;
  /** Returns whether readers without cookies who prefer this language get their own parts, too. */
  readonly isTranslated: (path: string, language: string) => boolean;
}

export function providePersonalParts(parts: PersonalParts): void {
  singleton("personal-parts", () => parts);
}

const contentVersion = () => peekSingleton<() => string>("content-version")?.();

/**
 * Returns whether the request is for one of those pages: without a query, as HTML, by a browser.
 * Next's client adds its own headers when it requests a page.
 */
function isPageRequest({ request }: PipelineContext): boolean {
  const { headers, method, url } = request;
  return (
    (method === "GET" || method === "HEAD") &&
    SHARED_PATH.test(url ?? "") &&
    isCanonical(url ?? "") &&
    headers.rsc === undefined &&
    headers["next-action"] === undefined &&
    !headers.accept?.includes("text/markdown") &&
    !isRenderRequest(headers)
  );
}

/**
 * Returns whether a path is spelled as the site itself spells it. Otherwise, the endless spellings of
 * one address (`%61` for `a`) would each be kept.
 */
function isCanonical(path: string): boolean {
  try {
    return path === path.split("/").map(decodeURIComponent).map(encodeURIComponent).join("/");
  } catch {
    return false;
  }
}

/** Returns whether the browser has none of our cookies, so that it gets what everyone gets. */
const isStranger = ({ request: { headers } }: PipelineContext): boolean =>
  !COOKIE_NAMES.some((name) => findCookie(headers.cookie ?? "", name) !== undefined);

function prefersTranslation({ request }: PipelineContext, parts: PersonalParts): boolean {
  const [language] = parseReaderLanguages(request.headers["accept-language"]);
  return language !== undefined && parts.isTranslated(request.url!, language);
}

/**
 * Sends the page if it can be served without Next, and returns whether it takes the request. Renders
 * the page first if there is none from the last minute. Calls `fallback` if that fails, or if only
 * Next can serve this reader.
 */
export function serveFinishedPage(context: PipelineContext, fallback: () => void): boolean {
  if (!env.FINISHED_PAGES || !canRenderPages() || !isPageRequest(context)) return false;
  const version = contentVersion();
  if (version === undefined) return false;
  const parts = peekSingleton<PersonalParts>("personal-parts");
  const isShared = isStranger(context) && !(parts && prefersTranslation(context, parts));
  if (!isShared && !parts) return false;
  const renderParts = isShared ? null : parts!.render;
  const page = findPage(context.request.url!, version);
  if (page === null) return false;
  if (renderParts === null) {
    if (page instanceof Promise) page.then((rendered) => sendPage(context, rendered), fallback);
    else sendPage(context, page);
    return true;
  }
  void servePersonalPage(context, page, renderParts)
    .catch((error: unknown) => {
      log("warn", "page.parts_failed", { path: context.request.url!, error });
      return false;
    })
    .then((isServed) => {
      if (!isServed) fallback();
    });
  return true;
}

/** Returns the page or its rendering; null if too many are in progress. */
function findPage(path: string, version: string): FinishedPage | Promise<FinishedPage> | null {
  const page = pages.get(path);
  const ageMs = page?.version === version ? nowMs() - page.renderedMs : Infinity;
  if (!page || ageMs < 0 || ageMs >= MAX_AGE_MS) return startRender(path, version);
  if (ageMs > REFRESH_AGE_MS) void startRender(path, version)?.catch(() => {});
  return page;
}

/** Resolves to whether it sent the page with the reader's own parts. */
async function servePersonalPage(
  context: PipelineContext,
  found: FinishedPage | Promise<FinishedPage>,
  renderParts: RenderParts,
): Promise<boolean> {
  const page = await found;
  if (page.status !== 200) return false;
  const { request } = context;
  const cookies = parseCookies(request.headers.cookie ?? "");
  const parts = await renderParts({
    path: request.url!,
    isPageView: isPageView(request.method, (name) => String(request.headers[name] ?? "")),
    findCookie: (name) => cookies.get(name),
  });
  if (parts === null) return false;
  const encoding = acceptsGzip(request.headers["accept-encoding"]) ? "gzip" : "identity";
  const body = fillTemplate(page.template, parts, encoding);
  incrementCounter("personal_pages_sent");
  const headers = Object.fromEntries(
    Object.entries(page.headers).filter(([name]) => !SHARED_ONLY_HEADERS.test(name)),
  );
  send(context, { status: 200, headers, encoding, body });
  return true;
}

/** Returns the current or a new rendering of `path`; null if too many are in progress. */
function startRender(path: string, version: string): Promise<FinishedPage> | null {
  const key = `${version} ${path}`;
  const running = renders.get(key);
  if (running) return running;
  if (renders.size >= MAX_RENDERS) return null;
  const started = runOutsideRequest(() => render(path, version)).finally(() => renders.delete(key));
  renders.set(key, started);
  return started;
}

async function render(path: string, version: string): Promise<FinishedPage> {
  const renderedMs = nowMs();
  try {
    const page: FinishedPage = { ...(await renderPage(path)), version, renderedMs };
    if (page.headers["set-cookie"]) throw new Error("The shared page sets a cookie.");
    if (page.status === 200) pages.set(path, page);
    incrementCounter("finished_pages_rendered");
    return page;
  } catch (error) {
    log("warn", "page.not_finished", { path, error });
    throw error;
  }
}

const acceptsGzip = (accepted: string | string[] | undefined): boolean =>
  /\bgzip\b/.test(String(accepted ?? ""));

function chooseEncoding(accepted: string | string[] | undefined): Encoding {
  if (/\bbr\b/.test(String(accepted ?? ""))) return "br";
  return acceptsGzip(accepted) ? "gzip" : "identity";
}

function sendPage(context: PipelineContext, page: FinishedPage): void {
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
  const encoding = chooseEncoding(request.headers["accept-encoding"]);
  send(context, { status, headers, encoding, body: page.bodies[encoding] });
}

function send(
  { request, response }: PipelineContext,
  {
    status,
    headers,
    encoding,
    body,
  }: Pick<FinishedPage, "status" | "headers"> & { encoding: Encoding; body: Buffer },
): void {
  if (response.headersSent || response.destroyed) return;
  setHeaders(response, headers);
  if (encoding !== "identity") response.setHeader("content-encoding", encoding);
  response.setHeader("content-length", body.length);
  response.writeHead(status);
  response.end(request.method === "HEAD" ? undefined : body);
}

function setHeaders(response: PipelineContext["response"], headers: FinishedPage["headers"]): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
}
