// Counts a view that was visible for a few seconds.

import { isBot, readBeacon } from "#app/reads/beacon.ts";
import { getCountablePost } from "#app/reads/countable-post.ts";
import { nowMs } from "#lib/core/clock.ts";
import { singleton } from "#lib/core/singleton.ts";
import { findClientAddress } from "#lib/http/client-address.ts";
import type { DirectRequest, DirectResponse } from "#lib/http/direct-request.ts";
import { findSessionIds } from "#lib/members/viewer.ts";
import { verifyDwellToken } from "#lib/reading/dwell-token.ts";
import { createReadLimiter } from "#lib/reading/read-limiter.ts";
import { ensurePrimary } from "#lib/replication/ensure-primary.ts";
import { recordStart } from "./record-start.sql.ts";

/**
 * The page waits for five seconds (components/post/count-reading.ts). The instance that issued the
 * token may have a clock that is ahead.
 */
const MIN_AGE_MS = 4_000;
/** More views start than finish, and many readers may share a network. */
const LIMIT_FACTOR = 4;

/**
 * Returns 204. It sets no cookie. Stores nothing for a bot, for a reader whose read of the post
 * counted within seven days, or if it throws an AppError: invalid, forbidden, not_found, too_large,
 * rate_limited or unavailable.
 */
export async function countStart(request: DirectRequest): Promise<DirectResponse> {
  const { token, slug, host } = await readBeacon(request);
  if (!isBot(request)) {
    await ensurePrimary();
    const { countedSlug } = await getCountablePost(slug);
    const sessionIds = await findSessionIds(request.findCookie);
    const now = nowMs();
    verifyDwellToken(token, { slug, minMs: MIN_AGE_MS, nowMs: now });
    singleton("start-limiter", () => createReadLimiter(LIMIT_FACTOR)).consume({
      member: null,
      clientId: sessionIds.clientId,
      address: findClientAddress(request),
      slug: countedSlug,
      nowMs: now,
    });
    await recordStart(sessionIds, { slug: countedSlug, host, nowMs: now });
  }
  return { status: 204, headers: { "cache-control": "no-store" }, body: null };
}
