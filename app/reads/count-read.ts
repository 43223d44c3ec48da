// Counts the read that a page's beacon reports.

import { isbot } from "isbot";
import { z } from "zod";
import { nowMs } from "#lib/core/clock.ts";
import { getCookieName } from "#lib/core/cookie-names.ts";
import { singleton } from "#lib/core/singleton.ts";
import { findClientAddress } from "#lib/http/client-address.ts";
import { assertSameOrigin } from "#lib/http/csrf.ts";
import type { DirectRequest, DirectResponse } from "#lib/http/direct-request.ts";
import { readJson } from "#lib/http/read-json.ts";
import { serializeReaderCookie } from "#lib/members/cookies.ts";
import { findSessionIds } from "#lib/members/viewer.ts";
import {
  MAX_DWELL_TOKEN_LENGTH,
  getMinDwellMs,
  verifyDwellToken,
} from "#lib/reading/dwell-token.ts";
import { logLeadChanges } from "#lib/reading/lead-changes.ts";
import { findOutdatedReaderId } from "#lib/reading/reader-id.ts";
import { createReadLimiter } from "#lib/reading/read-limiter.ts";
import { ensurePrimary } from "#lib/replication/ensure-primary.ts";
import { getCountablePost } from "./countable-post.ts";
import { recordBeacon } from "./record-beacon.sql.ts";

const Beacon = z.strictObject({
  token: z.string().min(1).max(MAX_DWELL_TOKEN_LENGTH),
  slug: z.string().min(1).max(200),
});

/**
 * Returns 204 with `x-read: counted` or `again`, or without it for a bot. An anonymous reader's
 * first read sets their cookie.
 * Stores nothing if it throws an AppError: invalid, forbidden, not_found, conflict, too_large,
 * rate_limited or unavailable.
 */
export async function countRead(request: DirectRequest): Promise<DirectResponse> {
  assertSameOrigin(request);
  const { token, slug } = await readJson(request, Beacon, {
    maxBytes: 2_048,
    contentTypes: ["text/plain", "application/json"],
  });
  const userAgent = request.headers.get("user-agent");
  if (!userAgent || isbot(userAgent))
    return { status: 204, headers: { "cache-control": "no-store" }, body: null };
  await ensurePrimary();
  const { isCounted, clientId } = await limitAndRecord(request, { token, slug });
  // The cookie must be signed again if a secret is being replaced.
  const readerId = clientId ?? findOutdatedReaderId(request.findCookie(getCookieName("reader")));
  return {
    status: 204,
    headers: {
      "cache-control": "no-store",
      "x-read": isCounted ? "counted" : "again",
      ...(readerId && { "set-cookie": serializeReaderCookie(readerId) }),
    },
    body: null,
  };
}

async function limitAndRecord(
  request: DirectRequest,
  { token, slug }: z.output<typeof Beacon>,
): Promise<{ isCounted: boolean; clientId?: string }> {
  const { readingMinutes, countedSlug } = await getCountablePost(slug);
  const sessionIds = await findSessionIds(request.findCookie);
  const now = nowMs();
  // Verified before the rate limit: an invalid token must not use up the limit of others at the same address.
  verifyDwellToken(token, { slug, minMs: getMinDwellMs(readingMinutes), nowMs: now });
  const limiter = singleton("read-limiter", createReadLimiter);
  const { leadChanges, ...read } = await recordBeacon(
    sessionIds,
    { token, slug, countedSlug, readingMinutes, nowMs: now },
    (reader) =>
      limiter.consume({
        ...reader,
        address: findClientAddress(request),
        slug: countedSlug,
        nowMs: now,
      }),
  );
  logLeadChanges(leadChanges);
  return read;
}
