// /unsubscribe/one-click: the address in the List-Unsubscribe header of emails (RFC 8058). The
// token authorizes the request, not a cookie, so cross-site requests are fine.

import { NextResponse } from "next/server";
import { AppError } from "#lib/core/errors.ts";
import { read, write } from "#lib/db/database.ts";
import { withErrorResponse } from "#lib/http/error-response.ts";
import { findTokenEmail, unsubscribe } from "#lib/members/subscribers.ts";
import { MAX_TOKEN_LENGTH, verifyUnsubscribeToken } from "#lib/members/subscription-token.ts";
import { triggerDeliveries } from "#lib/outbound/outbox/outbox.ts";
import { ensurePrimary } from "#lib/replication/ensure-primary.ts";

const readToken = (request: Request) => new URL(request.url).searchParams.get("token") ?? "";

/** Idempotent, because an email program may send the request twice. */
export function POST(request: Request): Promise<Response> {
  return withErrorResponse(request, async () => {
    const key = verifyUnsubscribeToken(readToken(request));
    if (!key) throw new AppError("invalid", "This link is damaged.", { field: "token" });
    await ensurePrimary();
    const email = await read((tx) => findTokenEmail(tx, key));
    if (email) {
      await write((tx) => unsubscribe(tx, email), { isDurable: true });
      triggerDeliveries();
    }
    return new Response("Unsubscribed.\n", { headers: { "cache-control": "no-store" } });
  });
}

/** Redirects to the page with a button, because a GET must change nothing. */
export function GET(request: Request): Response {
  const token = encodeURIComponent(readToken(request).slice(0, MAX_TOKEN_LENGTH));
  return new NextResponse(null, {
    status: 303,
    headers: { location: `/unsubscribe?token=${token}`, "cache-control": "no-store" },
  });
}
