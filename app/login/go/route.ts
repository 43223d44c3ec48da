// The way out of logging in: on to where somebody wanted to go, by a document of its own.

import { sanitizeRedirectPath } from "#lib/http/sanitize-redirect-path.ts";

export const dynamic = "force-dynamic";

/** Sends on to the path in ?to=, or to /me where that is none of this site. Changes nothing. */
export function GET(request: Request): Response {
  const to = sanitizeRedirectPath(new URL(request.url).searchParams.get("to"));
  const headers = { "cache-control": "no-store" };
  // Next's own scripts ask for the target of a redirect before they follow it: with no page here, the browser goes there itself.
  if (request.headers.has("rsc")) return new Response(null, { status: 204, headers });
  return new Response(null, { status: 303, headers: { ...headers, location: to } });
}
