// Whether a request with our cookies was sent by a page of ours.

import { AppError } from "#lib/core/errors.ts";
import { env } from "#lib/core/env.ts";

/**
 * What the browser says in Sec-Fetch-Site decides; where it says nothing (plain http), Origin must name this host.
 * A request with neither is refused: a browser sends at least one with every POST.
 */
export function isSameOrigin({ headers }: { readonly headers: Headers }): boolean {
  const site = headers.get("sec-fetch-site");
  if (site !== null && site !== "none") return site === "same-origin";
  const origin = URL.parse(headers.get("origin") ?? "");
  return (
    origin !== null &&
    (origin.host === headers.get("host") || origin.origin === new URL(env.SITE_URL).origin)
  );
}

/** Throws AppError(forbidden) for a request that no page of ours sent. For every handler and action that writes. */
export function assertSameOrigin(request: { readonly headers: Headers }): void {
  if (!isSameOrigin(request))
    throw new AppError("forbidden", "This request does not come from a page of this site.");
}
