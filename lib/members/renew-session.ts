// Renews sessions: extends the row and the cookie to 365 days before either expires.

import { DAY_MS, MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { hashSecret } from "#lib/core/secret.ts";
import { read, write } from "#lib/db/database.ts";
import type { ResponseCookie } from "#lib/http/cookies.ts";
import { ensurePrimary } from "#lib/replication/ensure-primary.ts";
import { SESSION_DAYS, type SessionCookie, sealSessionCookie, unsealSession } from "./cookies.ts";
import { findSessionExpiryMs } from "./sessions.ts";

/**
 * Tabs opened together all send the old cookie. One request renews it; the others need no new
 * cookie.
 */
const CONCURRENT_RENEWAL_MS = MINUTE_MS;

/**
 * Extends the session in the cookie `sealed` to 365 days if its row or cookie expires within
 * SESSION_RENEW_DAYS. Seals it again if its secret is being replaced. Returns the cookie to set, or null. Throws like ensurePrimary(): a replica
 * replays the request, even a GET.
 */
export async function renewSession(sealed: string | undefined): Promise<ResponseCookie | null> {
  const session = await unsealSession(sealed);
  if (!session) return null;
  // Fast path of nearly every request: no query. On LiteFS, a query would cost as much as the
  // page's own reads.
  if (isFresh(session)) return null;
  const now = nowMs();
  const dueMs = now + env.SESSION_RENEW_DAYS * DAY_MS;
  const key = hashSecret(session.id);
  const expiresAtMs = await read((tx) => findSessionExpiryMs(tx, key));
  if (expiresAtMs === null) return null;

  if (expiresAtMs >= dueMs) {
    const isOldCookie =
      session.sealedAtMs !== null && session.sealedAtMs + SESSION_DAYS * DAY_MS < dueMs;
    const isJustRenewed = expiresAtMs > now + SESSION_DAYS * DAY_MS - CONCURRENT_RENEWAL_MS;
    return session.isOutdated || (isOldCookie && !isJustRenewed)
      ? sealSessionCookie({ ...session, expiresAtMs })
      : null;
  }
  // Don't wait for a primary. Without one, a later request renews the session.
  await ensurePrimary({ settleMs: 0 });
  const renewedUntilMs = now + SESSION_DAYS * DAY_MS;
  const { count } = await write((tx) =>
    tx.session.updateMany({
      where: { id: key, expirationDate: { gt: new Date(now), lt: new Date(dueMs) } },
      data: { expirationDate: new Date(renewedUntilMs) },
    }),
  );
  return count === 1 ? sealSessionCookie({ ...session, expiresAtMs: renewedUntilMs }) : null;
}

/** Returns whether renewSession() would have to query the database to decide. */
export async function mayNeedRenewal(sealed: string | undefined): Promise<boolean> {
  const session = await unsealSession(sealed);
  return session !== null && !isFresh(session);
}

/** Returns whether the cookie itself says that neither it nor the session expires soon. */
function isFresh({ isOutdated, untilMs, sealedAtMs }: SessionCookie): boolean {
  return (
    !isOutdated &&
    untilMs !== null &&
    sealedAtMs !== null &&
    Math.min(untilMs, sealedAtMs + SESSION_DAYS * DAY_MS) >=
      nowMs() + env.SESSION_RENEW_DAYS * DAY_MS
  );
}
