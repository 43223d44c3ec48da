// Serves pages that are the same for everyone as finished bytes, before Next sees the request.
// docs/decisions/052-finished-pages.md

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
import { findCookie } from "./cookie-header.ts";
import type { PipelineContext } from "./pipeline-context.ts";
import { type Encoding, type RenderedPage, canRenderPages, renderPage } from "./render-page.ts";

/** The pages of app/(static), which depend on nothing in the request but its path. */
const SHARED_PATH = /^\/(blog\/[^/?]+)?$/;

/**
 * How long a page is served, because standings change. It is rendered again ten seconds earlier.
 */
const MAX_AGE_MS = 60 * SECOND_MS;
const REFRESH_AGE_MS = 50 * SECOND_MS;
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
      sizeCalculation: ({ bodies }) =>
        1_000 + bodies.identity.length + bodies.br.length + bodies.gzip.length,
    }),
);
const renders = singleton("finished-page-renders", () => new Map<string, Promise<FinishedPage>>());

const contentVersion = () => peekSingleton<() => string>("content-version")?.();

/**
 * Returns whether everyone gets the same response: a page without a query, requested as HTML by a
 * browser that has none of our cookies. Next's client adds its own headers when it requests a page.
 */
function isShared({ request }: PipelineContext): boolean {
  const { headers, method, url } = request;
  return (
    (method === "GET" || method === "HEAD") &&
    SHARED_PATH.test(url ?? "") &&
    headers.rsc === undefined &&
    headers["next-action"] === undefined &&
    !headers.accept?.includes("text/markdown") &&
    !COOKIE_NAMES.some((name) => findCookie(headers.cookie ?? "", name) !== undefined)
  );
}

/**
 * Sends the page if all readers share it, and returns whether it did. Renders it first if there is
 * none from the last minute; if that fails, calls `fallback`.
 */
export function serveFinishedPage(context: PipelineContext, fallback: () => void): boolean {
  if (!env.FINISHED_PAGES || !canRenderPages() || !isShared(context)) return false;
  if (isRenderRequest(context.request.headers)) return false;
  const version = contentVersion();
  if (version === undefined) return false;
  const path = context.request.url!;
  const page = pages.get(path);
  const ageMs = page?.version === version ? nowMs() - page.renderedMs : Infinity;
  if (page && ageMs >= 0 && ageMs < MAX_AGE_MS) {
    if (ageMs > REFRESH_AGE_MS) void startRender(path, version)?.catch(() => {});
    sendPage(context, page);
    return true;
  }
  const rendering = startRender(path, version);
  if (!rendering) return false;
  rendering.then((rendered) => sendPage(context, rendered), fallback);
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

function chooseEncoding(accepted: string | string[] | undefined): Encoding {
  const encodings = String(accepted ?? "");
  if (/\bbr\b/.test(encodings)) return "br";
  return /\bgzip\b/.test(encodings) ? "gzip" : "identity";
}

function sendPage({ request, response }: PipelineContext, page: FinishedPage): void {
  if (response.headersSent || response.destroyed) return;
  for (const [name, value] of Object.entries(page.headers)) response.setHeader(name, value);
  const { etag } = page.headers;
  if (
    page.status === 200 &&
    typeof etag === "string" &&
    matchesETag(request.headers["if-none-match"], etag)
  ) {
    response.writeHead(304).end();
    return;
  }
  const encoding = chooseEncoding(request.headers["accept-encoding"]);
  const body = page.bodies[encoding];
  if (encoding !== "identity") response.setHeader("content-encoding", encoding);
  response.setHeader("content-length", body.length);
  response.writeHead(page.status);
  response.end(request.method === "HEAD" ? undefined : body);
}
