// Protects writes against CSRF by Sec-Fetch-Site and Origin.

import { AppError } from "#lib/core/errors.ts";
import { env } from "#lib/core/env.ts";

/**
 * True for a request that a page of this site sent. Without Sec-Fetch-Site (plain http), Origin must name this host.
 * Without both it is false: browsers send at least one with every POST.
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

/** Throws AppError(forbidden) for a cross-site request. Called by every handler and action that writes. */
export function assertSameOrigin(request: { readonly headers: Headers }): void {
  if (!isSameOrigin(request))
    throw new AppError("forbidden", "This request does not come from a page of this site.");
}
