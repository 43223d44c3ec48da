// Runs before a page: read-your-writes, legacy cookies, session renewal, Content-Security-Policy. Authorization happens
// where the data is read. Outside member pages, requests without a session, txid or legacy cookie skip it
// (docs/decisions/004-shared-pages.md), and so do beacons and uploads, since Next buffers every body here.

import { randomBytes } from "node:crypto";
import { type NextRequest, NextResponse } from "next/server";
import { nowMs } from "./lib/core/clock.ts";
import { isAppError } from "./lib/core/errors.ts";
import { log } from "./lib/core/log.ts";
import { isReplay } from "./lib/replication/ensure-primary.ts";
import { isPageView } from "./lib/http/page-view.ts";
import { waitForOwnWrites } from "./lib/replication/read-your-writes.ts";
import { MEMBER_PAGES, buildMemberPolicy } from "./lib/http/content-security-policy.ts";
import { LEGACY_COOKIES, getCookieName } from "./lib/core/cookie-names.ts";
import type { ResponseCookie } from "#lib/http/cookies.ts";
import { unsealSession } from "#lib/members/cookies.ts";
import { renewVisitCookie } from "#lib/members/last-visit.ts";
import { upgradeLegacyCookies } from "#lib/members/legacy-cookies.ts";
import { renewSession } from "#lib/members/renew-session.ts";

export const config = {
  runtime: "nodejs",
  matcher: [
    "/(login|signup|me|admin|dev)/:path*",
    "/calls/(record|mine)/:path*",
    {
      // Pages, if there is a session, txid or legacy cookie. Next reads this object without running it.
      source:
        "/((?!_next/|_img/|_br/|images/|content-file/|embed-image/|post-code/|reads|calls/upload|api/|internal/|cluster/|healthz|readyz|metrics).*)",
      has: [
        {
          type: "header",
          key: "cookie",
          value: "(?:.*;)?\\s*(?:(?:__Host-)?(?:session|txid)|legacy-(?:session|reader))=.*",
        },
      ],
    },
  ],
};

// Recordings get the policy of next.config.mjs.
const isMemberPage = (path: string) =>
  !/^\/admin\/calls\/[^/]+\/answer$/.test(path) &&
  MEMBER_PAGES.some((page) => path === `/${page}` || path.startsWith(`/${page}/`));

export async function middleware(request: NextRequest): Promise<NextResponse> {
  const get = (name: string) => request.cookies.get(name)?.value;
  let upgradedCookies: readonly ResponseCookie[];
  let renewedCookie;
  let visitCookie: ResponseCookie | null = null;
  try {
    if (request.method === "GET" || request.method === "HEAD")
      await waitForOwnWrites(get(getCookieName("txid")));
    upgradedCookies = await upgradeLegacyCookies(get);
    const sealed =
      upgradedCookies.find(({ name }) => name === getCookieName("session"))?.value ??
      get(getCookieName("session"));
    renewedCookie = await renewSessionIfPossible(sealed);
    if (
      isPageView(request.method, (name) => request.headers.get(name)) &&
      (await unsealSession(sealed))
    )
      visitCookie = renewVisitCookie(get(getCookieName("visit")), nowMs());
  } catch (error) {
    // A middleware responds by returning.
    if (isReplay(error)) return new NextResponse(error.body, error);
    throw error;
  }
  if (upgradedCookies.length > 0) {
    // The page or handler sees the new cookies instead of the legacy ones.
    for (const name of Object.values(LEGACY_COOKIES)) request.cookies.delete(name);
    for (const { name, value } of upgradedCookies)
      if (value !== "") request.cookies.set(name, value);
  }
  const response = isMemberPage(request.nextUrl.pathname)
    ? withContentSecurityPolicy(request)
    : NextResponse.next(
        upgradedCookies.length > 0 ? { request: { headers: request.headers } } : undefined,
      );
  for (const cookie of upgradedCookies) response.cookies.set(cookie);
  if (renewedCookie) response.cookies.set(renewedCookie);
  if (visitCookie) response.cookies.set(visitCookie);
  return response;
}

async function renewSessionIfPossible(sealed: string | undefined) {
  try {
    return await renewSession(sealed);
  } catch (error) {
    // Without a primary, a later request renews the session. A replay is rethrown.
    if (!isAppError(error)) throw error;
    log("warn", "session.not_renewed", { error });
    return null;
  }
}

function withContentSecurityPolicy(request: NextRequest): NextResponse {
  const policy = buildMemberPolicy(
    randomBytes(16).toString("base64"),
    process.env.NODE_ENV === "development",
  );
  const headers = new Headers(request.headers);
  // Next takes the nonce of its own scripts from the request.
  headers.set("content-security-policy", policy);
  const response = NextResponse.next({ request: { headers } });
  response.headers.set("content-security-policy", policy);
  // Not no-referrer: browsers would then send "Origin: null" with forms, which CSRF protection rejects.
  response.headers.set("referrer-policy", "same-origin");
  response.headers.set("cache-control", "private, no-store");
  return response;
}
