// Protects writes against CSRF by checking Sec-Fetch-Site and Origin.

import { AppError } from "#lib/core/errors.ts";
import { env } from "#lib/core/env.ts";
import type { HeaderReader } from "./direct-request.ts";

/**
 * Returns true if a page of this site sent the request. If Sec-Fetch-Site is missing (plain HTTP)
 * or "none", Origin must match this host or SITE_URL. With neither header it returns false, because
 * browsers send at least one with every POST.
 */
export function isSameOrigin({ headers }: { readonly headers: HeaderReader }): boolean {
  const site = headers.get("sec-fetch-site");
  if (site !== null && site !== "none") return site === "same-origin";
  const origin = URL.parse(headers.get("origin") ?? "");
  return (
    origin !== null &&
    (origin.host === headers.get("host") || origin.origin === new URL(env.SITE_URL).origin)
  );
}

/**
 * Throws AppError(forbidden) for a cross-site request. Every handler and action that writes calls
 * it.
 */
export function assertSameOrigin(request: { readonly headers: HeaderReader }): void {
  if (!isSameOrigin(request))
    throw new AppError("forbidden", "This request didn't come from this site.");
}
