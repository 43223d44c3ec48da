// Counts the read that a page's beacon reports.

import { isbot } from "isbot";
import { z } from "zod";
import { nowMs } from "#lib/core/clock.ts";
import { isAppError } from "#lib/core/errors.ts";
import { singleton } from "#lib/core/singleton.ts";
import { write } from "#lib/db/database.ts";
import { getClientAddress } from "#lib/http/client-address.ts";
import { assertSameOrigin } from "#lib/http/csrf.ts";
import { withErrorResponse } from "#lib/http/error-response.ts";
import { readJson } from "#lib/http/read-json.ts";
import { serializeReaderCookie } from "#lib/members/cookies.ts";
import { getViewer, readSessionCookies, resolveViewer } from "#lib/members/viewer.ts";
import {
  MAX_DWELL_TOKEN_LENGTH,
  getMinDwellMs,
  verifyDwellToken,
} from "#lib/reading/dwell-token.ts";
import { logLeadChanges, recordLeadChanges } from "#lib/reading/lead-changes.ts";
import { createReadLimiter } from "#lib/reading/read-limiter.ts";
import { recordRead } from "#lib/reading/record-read.ts";
import { ensurePrimary } from "#lib/replication/ensure-primary.ts";
import { getCountablePost } from "./countable-post.ts";

const Beacon = z.strictObject({
  token: z.string().min(1).max(MAX_DWELL_TOKEN_LENGTH),
  slug: z.string().min(1).max(200),
});

/**
 * Answers 204 with `x-read: counted` or `again`, or without it to a bot; an anonymous reader's first read sets their cookie.
 * Refuses with 400, 403, 404, 409, 413, 429 or 503 and the reason as text; nothing was stored then.
 */
export function countRead(request: Request): Promise<Response> {
  return withErrorResponse(request, async () => {
    assertSameOrigin(request);
    const { token, slug } = await readJson(request, Beacon, {
      maxBytes: 2_048,
      contentTypes: ["text/plain", "application/json"],
    });
    const userAgent = request.headers.get("user-agent");
    if (!userAgent || isbot(userAgent))
      return new Response(null, { status: 204, headers: { "cache-control": "no-store" } });
    await ensurePrimary();
    const { isCounted, clientId } = await limitAndRecord(request, { token, slug });
    const headers = new Headers({
      "cache-control": "no-store",
      "x-read": isCounted ? "counted" : "again",
    });
    if (clientId) headers.append("set-cookie", serializeReaderCookie(clientId));
    return new Response(null, { status: 204, headers });
  });
}

async function limitAndRecord(
  request: Request,
  { token, slug }: z.output<typeof Beacon>,
): Promise<{ isCounted: boolean; clientId?: string }> {
  const { readingMinutes } = await getCountablePost(slug);
  const sessionIds = await readSessionCookies();
  const viewer = await getViewer(sessionIds);
  const now = nowMs();
  // Verified before it is counted: a worthless token must not use up the limit of those who share an address.
  verifyDwellToken(token, { slug, minMs: getMinDwellMs(readingMinutes), nowMs: now });
  const refund = singleton("read-limiter", createReadLimiter).consume({
    ...viewer,
    address: getClientAddress(request),
    slug,
    nowMs: now,
  });
  const { leadChanges, ...read } = await write((tx) => {
    // Resolved again inside the transaction: the session may have ended since.
    const { member, clientId } = resolveViewer(tx, sessionIds);
    const result = recordRead(tx, { token, slug, member, clientId, readingMinutes, nowMs: now });
    // Anonymous reads change no standings.
    const slugs = result.isCounted && member ? [slug] : [];
    return { ...result, leadChanges: recordLeadChanges(tx, { slugs, nowMs: now }) };
  }).catch((error: unknown) => {
    if (isAppError(error, "conflict")) refund(); // the token was used before
    throw error;
  });
  logLeadChanges(leadChanges);
  return read;
}
