// Counts the read that a beacon reports.

import { isbot } from "isbot";
import { readBeacon } from "./read-beacon.ts";
import { getCountablePost } from "./countable-post.ts";
import { withErrorResponse } from "#lib/http/error-response.ts";
import { nowMs } from "#lib/core/clock.ts";
import { AppError, isAppError } from "#lib/core/errors.ts";
import { log } from "#lib/core/log.ts";
import { readSql, writeSql } from "#lib/db/database.ts";
import { ensurePrimary } from "#lib/replication/ensure-primary.ts";
import { type ReadLimiter, createReadLimiter } from "#lib/reading/read-limiter.ts";
import { recordRead } from "#lib/reading/record-read.ts";
import { getMinDwellMs, verifyDwellToken } from "#lib/reading/dwell-token.ts";
import { getClientAddress } from "#lib/http/client-address.ts";
import { isSameOrigin } from "#lib/http/csrf.ts";
import { serializeReaderCookie } from "#lib/members/cookies/reader-cookie.ts";
import { resolveViewer, readSessionCookies } from "#lib/members/session/session.ts";
import { recordLeadChanges } from "#lib/reading/lead-changes.ts";

// One per process, also where development loads this module anew.
const shared = globalThis as { __lecternReadLimits?: ReadLimiter };

/**
 * 204 with `x-read: counted` or `again`; 204 without it for a bot. 400, 403, 404, 409, 413, 429 or 503 with the reason
 * as text; then nothing was stored. An anonymous reader's first counted read brings the cookie with their id.
 * `write` is replaced by the benchmarks alone.
 */
export function countRead(request: Request, write: typeof writeSql = writeSql): Promise<Response> {
  return withErrorResponse(request, async () => {
    if (!isSameOrigin(request))
      throw new AppError("forbidden", "This request does not come from a page of this site.");
    const { token, slug } = await readBeacon(request);
    const userAgent = request.headers.get("user-agent");
    if (!userAgent || isbot(userAgent))
      return new Response(null, { status: 204, headers: { "cache-control": "no-store" } });
    await ensurePrimary();
    const { readingMinutes } = await getCountablePost(slug);
    const identity = await readSessionCookies();
    const reader = identity.sessionKey
      ? await readSql((sql) => resolveViewer(sql, identity))
      : { member: null, clientId: identity.clientId };
    const now = nowMs();
    shared.__lecternReadLimits ??= createReadLimiter();
    // Looked at before it is counted: a token that is worth nothing must not use up the limit of those who share an address.
    verifyDwellToken(token, { slug, minMs: getMinDwellMs(readingMinutes), nowMs: now });
    const giveBack = shared.__lecternReadLimits.take({
      ...reader,
      address: getClientAddress(request),
      slug,
      nowMs: now,
    });

    const written = write((sql) => {
      // Asked again inside the write: the member may have left since.
      const { member, clientId } = identity.sessionKey ? resolveViewer(sql, identity) : reader;
      const read = recordRead(sql, { token, slug, member, clientId, readingMinutes, nowMs: now });
      // Anonymous reads move no standing.
      return {
        ...read,
        changes:
          read.isCounted && member ? recordLeadChanges(sql, { slugs: [slug], nowMs: now }) : [],
      };
    });
    const { isCounted, clientId, changes } = await written.catch((error: unknown) => {
      if (isAppError(error, "conflict")) giveBack(); // the token was used before
      throw error;
    });

    for (const change of changes) log("info", "teams.leader_changed", { ...change });
    const headers = new Headers({
      "cache-control": "no-store",
      "x-read": isCounted ? "counted" : "again",
    });
    if (clientId) headers.append("set-cookie", serializeReaderCookie(clientId));
    return new Response(null, { status: 204, headers });
  });
}
