// Before a page: a replica waits for what its reader has just written, a session that is due is renewed, a cookie of the site
// before is exchanged for ours, and members' pages get their content security policy.
// It never decides who may do what: that is asked where the data is. Requests without our cookies pass it by (decision 004),
// and so do beacons and uploads: Next copies every body that comes through here.

import { randomBytes } from "node:crypto";
import { type NextRequest, NextResponse } from "next/server";
import { isAppError } from "./lib/core/errors.ts";
import { log } from "./lib/core/log.ts";
import { isReplay } from "./lib/replication/ensure-primary.ts";
import { waitForOwnWrites } from "./lib/replication/read-your-writes.ts";
import { MEMBER_PAGES, buildMemberPolicy } from "./lib/http/content-security-policy.ts";
import { LEGACY_COOKIES, getCookieName } from "./lib/core/cookie-names.ts";
import type { ResponseCookie } from "#lib/http/cookies.ts";
import { upgradeLegacyCookies } from "#lib/members/legacy-cookies.ts";
import { renewSession } from "#lib/members/renew-session.ts";

export const config = {
  runtime: "nodejs",
  matcher: [
    "/(login|signup|me|admin|dev)/:path*",
    "/calls/(record|mine)/:path*",
    {
      source:
        "/((?!_next/|_img/|_br/|images/|content-file/|embed-image/|reads|calls/upload|api/|internal/|cluster/|healthz|readyz|metrics).*)",
      has: [{ type: "cookie", key: "session" }],
    },
    {
      source:
        "/((?!_next/|_img/|_br/|images/|content-file/|embed-image/|reads|calls/upload|api/|internal/|cluster/|healthz|readyz|metrics).*)",
      has: [{ type: "cookie", key: "__Host-session" }],
    },
    {
      source:
        "/((?!_next/|_img/|_br/|images/|content-file/|embed-image/|reads|calls/upload|api/|internal/|cluster/|healthz|readyz|metrics).*)",
      has: [{ type: "cookie", key: "txid" }],
    },
    {
      source:
        "/((?!_next/|_img/|_br/|images/|content-file/|embed-image/|reads|calls/upload|api/|internal/|cluster/|healthz|readyz|metrics).*)",
      has: [{ type: "cookie", key: "__Host-txid" }],
    },
    {
      source:
        "/((?!_next/|_img/|_br/|images/|content-file/|embed-image/|reads|calls/upload|api/|internal/|cluster/|healthz|readyz|metrics).*)",
      has: [{ type: "cookie", key: "legacy-session" }],
    },
    {
      source:
        "/((?!_next/|_img/|_br/|images/|content-file/|embed-image/|reads|calls/upload|api/|internal/|cluster/|healthz|readyz|metrics).*)",
      has: [{ type: "cookie", key: "legacy-reader" }],
    },
  ],
};

// A recording is no page: next.config.mjs says what it may do.
const isMemberPage = (path: string) =>
  !/^\/admin\/calls\/[^/]+\/answer$/.test(path) &&
  MEMBER_PAGES.some((page) => path === `/${page}` || path.startsWith(`/${page}/`));

export async function middleware(request: NextRequest): Promise<NextResponse> {
  const get = (name: string) => request.cookies.get(name)?.value;
  let exchanged: readonly ResponseCookie[];
  let renewed;
  try {
    if (request.method === "GET" || request.method === "HEAD")
      await waitForOwnWrites(get(getCookieName("txid")));
    exchanged = await upgradeLegacyCookies(get);
    renewed = await renewSessionIfPossible(
      exchanged.find(({ name }) => name === getCookieName("session"))?.value ??
        get(getCookieName("session")),
    );
  } catch (error) {
    // A middleware answers by returning.
    if (isReplay(error)) return new NextResponse(error.body, error);
    throw error;
  }
  if (exchanged.length > 0) {
    // What the page or the handler looks at: an old cookie is nobody's any more, and a new one is there at once.
    for (const name of Object.values(LEGACY_COOKIES)) request.cookies.delete(name);
    for (const { name, value } of exchanged) if (value !== "") request.cookies.set(name, value);
  }
  const response = isMemberPage(request.nextUrl.pathname)
    ? withContentSecurityPolicy(request)
    : NextResponse.next(
        exchanged.length > 0 ? { request: { headers: request.headers } } : undefined,
      );
  for (const cookie of exchanged) response.cookies.set(cookie);
  if (renewed) response.cookies.set(renewed);
  return response;
}

async function renewSessionIfPossible(sealed: string | undefined) {
  try {
    return await renewSession(sealed);
  } catch (error) {
    // Where nobody may write just now the session stays as it is and is renewed on a later request. A replay passes through.
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
  // Next reads the nonce for its own scripts from the request.
  headers.set("content-security-policy", policy);
  const response = NextResponse.next({ request: { headers } });
  response.headers.set("content-security-policy", policy);
  // Not no-referrer: with it a browser sends "Origin: null" with forms, which looks like an attack. Nothing goes to other sites.
  response.headers.set("referrer-policy", "same-origin");
  response.headers.set("cache-control", "private, no-store");
  return response;
}
