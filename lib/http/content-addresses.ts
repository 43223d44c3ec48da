// Maps the addresses of posts to the site's routes, and redirects old addresses, before Next's router
// sees the request.

import { HOUR_MS, SECOND_MS } from "#lib/core/clock.ts";
import { isRenderRequest } from "#lib/core/render-request.ts";
import { peekSingleton, resetSingleton, singleton } from "#lib/core/singleton.ts";
import type { PipelineContext } from "./pipeline-context.ts";
import { labelRoute } from "./route-labels.ts";

export type AddressMatch =
  /** A route of the site shows this address. */
  | { readonly kind: "route"; readonly url: string }
  | { readonly kind: "redirect"; readonly status: number; readonly location: string }
  /** The 404 page, with status 410. */
  | { readonly kind: "gone" };

type ResolveAddress = (url: string) => AddressMatch | null;

/** Sets the function that resolves a path with its query. The catalog calls this at startup. */
export function shareContentAddresses(resolve: ResolveAddress): void {
  resetSingleton("content-addresses");
  singleton("content-addresses", () => resolve);
}

/** Pipeline step. Only GET and HEAD are redirected: a form keeps its body. */
export function resolveContentAddress(context: PipelineContext): void {
  const { request } = context;
  // The page cache requests the route of an address, which would otherwise redirect to the address.
  if (isRenderRequest(request.headers)) return;
  // Some clients send the bytes of UTF-8 as they are, which Node reads as Latin-1.
  if (/[\u0080-\u00ff]/.test(request.url ?? ""))
    request.url = Buffer.from(request.url!, "latin1")
      .toString()
      .replace(/[^\u0000-\u007f]+/g, encodeURIComponent);
  const match = peekSingleton<ResolveAddress>("content-addresses")?.(request.url ?? "/");
  if (!match) return;
  if (match.kind === "route") {
    request.url = match.url;
    context.route = labelRoute(match.url);
  } else if (match.kind === "gone") context.isGone = true;
  else if (request.method === "GET" || request.method === "HEAD")
    context.sendFinal(
      match.status,
      {
        location: match.location,
        "content-type": "text/plain; charset=utf-8",
        // Browsers would keep a permanent redirect until their cache is emptied.
        "cache-control": [301, 308].includes(match.status)
          ? `public, max-age=${HOUR_MS / SECOND_MS}`
          : "no-cache",
      },
      `Redirecting to ${match.location}\n`,
    );
}

/** Head step. Responds with 410 instead of 404 if the redirects file says that the page was removed. */
export function markGone({ isGone }: PipelineContext, status: number): number | void {
  return isGone && status === 404 ? 410 : undefined;
}
