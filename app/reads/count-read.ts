// Counts the read that a page's beacon reports.

import { nowMs } from "#lib/core/clock.ts";
import { getCookieName } from "#lib/core/cookie-names.ts";
import { singleton } from "#lib/core/singleton.ts";
import { findClientAddress } from "#lib/http/client-address.ts";
import type { DirectRequest, DirectResponse } from "#lib/http/direct-request.ts";
import { serializeReaderCookie } from "#lib/members/cookies.ts";
import { findSessionIds } from "#lib/members/viewer.ts";
import { getMinDwellMs, verifyDwellToken } from "#lib/reading/dwell-token.ts";
import { logLeadChanges } from "#lib/reading/lead-changes.ts";
import { findOutdatedReaderId } from "#lib/reading/reader-id.ts";
import { createReadLimiter } from "#lib/reading/read-limiter.ts";
import { ensurePrimary } from "#lib/replication/ensure-primary.ts";
import { type Beacon, isBot, readBeacon } from "./beacon.ts";
import { getCountablePost } from "./countable-post.ts";
import { recordBeacon } from "./record-beacon.sql.ts";

/**
 * Returns 204 with `x-read: counted` or `again`, or without it for a bot. An anonymous reader's
 * first read sets their cookie.
 * Stores nothing if it throws an AppError: invalid, forbidden, not_found, conflict, too_large,
 * rate_limited or unavailable.
 */
export async function countRead(request: DirectRequest): Promise<DirectResponse> {
  const beacon = await readBeacon(request);
  if (isBot(request)) return { status: 204, headers: { "cache-control": "no-store" }, body: null };
  await ensurePrimary();
  const { isCounted, clientId } = await limitAndRecord(request, beacon);
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
  { token, slug, host }: Beacon,
): Promise<{ isCounted: boolean; clientId?: string }> {
  const { readingMinutes, countedSlug } = await getCountablePost(slug);
  const sessionIds = await findSessionIds(request.findCookie);
  const now = nowMs();
  // Verified before the rate limit: an invalid token must not use up the limit of others at the same address.
  verifyDwellToken(token, { slug, minMs: getMinDwellMs(readingMinutes), nowMs: now });
  const limiter = singleton("read-limiter", createReadLimiter);
  const { leadChanges, ...read } = await recordBeacon(
    sessionIds,
    { token, slug, countedSlug, host, readingMinutes, nowMs: now },
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
