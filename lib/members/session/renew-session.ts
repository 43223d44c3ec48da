// A session lives a year and begins anew when half of it is gone: the row and the cookie.

import { DAY_MS, MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { hashSessionId } from "./hash-session-id.ts";
import { readSql, writeSql } from "#lib/db/database.ts";
import { ensurePrimary } from "#lib/replication/ensure-primary.ts";
import { SESSION_DAYS, unsealSession, sealSessionCookie } from "./session.ts";

/** Tabs that are opened together all bring the old cookie: one of them gets the new one, and the rest need none. */
const CONCURRENT_RENEWAL_MS = MINUTE_MS;

/**
 * Extends the session of the cookie `sealed` to 365 days when fewer than SESSION_RENEW_DAYS remain of its row or of its cookie
 * (env; 180 in the reference). Returns the new cookie to set, or null when nothing is due. Of requests at the same time one
 * extends the row and gets the cookie. A cookie that got lost on its way is given again a minute later.
 * Throws what ensurePrimary throws: on a replica the request is replayed, also a GET.
 */
export async function renewSession(
  sealed: string | undefined,
): Promise<Awaited<ReturnType<typeof sealSessionCookie>> | null> {
  const seal = await unsealSession(sealed);
  if (!seal) return null;
  const now = nowMs();
  const dueMs = now + env.SESSION_RENEW_DAYS * DAY_MS;
  // Nearly every request: nothing can be due, and the database is not asked. On LiteFS a look costs as much as a page's own reads.
  if (
    seal.untilMs !== null &&
    seal.sealedAtMs !== null &&
    Math.min(seal.untilMs, seal.sealedAtMs + SESSION_DAYS * DAY_MS) >= dueMs
  )
    return null;
  const key = hashSessionId(seal.id);
  const row = await readSql((sql) =>
    sql.get<{ expiresAtMs: number }>(
      `SELECT "expirationDate" AS "expiresAtMs" FROM "Session" WHERE "id" = ?`,
      key,
    ),
  );
  if (!row || row.expiresAtMs <= now) return null;

  if (row.expiresAtMs >= dueMs) {
    const isOldCookie = seal.sealedAtMs !== null && seal.sealedAtMs + SESSION_DAYS * DAY_MS < dueMs;
    const isJustRenewed = row.expiresAtMs > now + SESSION_DAYS * DAY_MS - CONCURRENT_RENEWAL_MS;
    return isOldCookie && !isJustRenewed
      ? sealSessionCookie({ id: seal.id, expiresAtMs: row.expiresAtMs })
      : null;
  }
  // Not waited for: without a primary the page comes now, and the session is renewed on a later request.
  await ensurePrimary({ settleMs: 0 });
  const { changes } = await writeSql((sql) =>
    sql.run(
      `UPDATE "Session" SET "expirationDate" = ? WHERE "id" = ? AND "expirationDate" > ? AND "expirationDate" < ?`,
      now + SESSION_DAYS * DAY_MS,
      key,
      now,
      dueMs,
    ),
  );
  return changes === 1
    ? sealSessionCookie({ id: seal.id, expiresAtMs: now + SESSION_DAYS * DAY_MS })
    : null;
}
