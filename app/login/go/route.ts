// GET /login/go: ends a login or logout with a full page load, since members' pages have another CSP.

import { sanitizeRedirectPath } from "#lib/http/sanitize-redirect-path.ts";

export const dynamic = "force-dynamic";

/** Redirects to the path in ?to=; to /me if it is not a path of this site. Changes nothing. */
export function GET(request: Request): Response {
  const to = sanitizeRedirectPath(new URL(request.url).searchParams.get("to"));
  const headers = { "cache-control": "no-store" };
  // Next's router fetches the target of a redirect first. Without content it lets the browser navigate.
  if (request.headers.has("rsc")) return new Response(null, { status: 204, headers });
  return new Response(null, { status: 303, headers: { ...headers, location: to } });
}
