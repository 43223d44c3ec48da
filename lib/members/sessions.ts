// Creates, lists and revokes a member's sessions.

import { DAY_MS, nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { formatRegion } from "#lib/core/fly-regions.ts";
import { generateSecret, hashSecret } from "#lib/core/secret.ts";
import { isValidSignature, signText } from "#lib/core/signature.ts";
import type { Tx } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
import { SESSION_DAYS } from "./cookies.ts";
import type { SessionDevice } from "./describe-device.ts";

const LABEL = "lectern session handle v1";
/** Maximum sessions listed. */
const MAX_LISTED_SESSIONS = 100;

/**
 * Creates a session that lasts 365 days. Returns the ID for the cookie; the database stores its
 * hash.
 */
export function createSession(
  tx: Tx,
  userId: string,
  device?: SessionDevice,
): { id: string; expiresAtMs: number } {
  const id = generateSecret(256);
  const now = nowMs();
  const expiresAtMs = now + SESSION_DAYS * DAY_MS;
  const key = hashSecret(id);
  sqlOf(tx).run(
    `INSERT INTO "Session" ("id", "createdAt", "userId", "expirationDate") VALUES (?, ?, ?, ?)`,
    key,
    now,
    userId,
    expiresAtMs,
  );
  if (device)
    sqlOf(tx).run(
      `INSERT INTO "SessionInfo" ("sessionId", "device", "place", "lastSeenAt") VALUES (?, ?, ?, ?)`,
      key,
      device.device,
      device.place,
      now,
    );
  return { id, expiresAtMs };
}

/**
 * Returns the public handle of a session: an HMAC of its key, so that pages don't reveal the key. A
 * rowid would reveal the number of logins, and SQLite may reuse it.
 */
export function createSessionHandle(sessionKey: string): string {
  return signText(LABEL, sessionKey);
}

export interface ListedSession {
  readonly handle: string;
  /** Such as "Firefox on Linux"; null for a migrated session. */
  readonly device: string | null;
  /** The city of the Fly region that received the login, or null. */
  readonly place: string | null;
  /** Milliseconds since the Unix epoch. */
  readonly startedAtMs: number;
  /** Time of the last write, to within an hour; null for a migrated session. */
  readonly lastSeenAtMs: number | null;
  /** True for the session that sends this request. */
  readonly isCurrent: boolean;
}

interface SessionRow extends Pick<
  ListedSession,
  "device" | "place" | "startedAtMs" | "lastSeenAtMs"
> {
  readonly id: string;
}

/** Returns the member's unexpired sessions, the current one first, the rest by last activity. */
export function listSessions(
  tx: Tx,
  { userId, sessionKey }: { userId: string; sessionKey: string },
): ListedSession[] {
  const rows = sqlOf(tx).all<SessionRow>(
    `SELECT s."id", i."device", i."place", COALESCE(i."begunAt", s."createdAt") AS "startedAtMs", i."lastSeenAt" AS "lastSeenAtMs" FROM "Session" s LEFT JOIN "SessionInfo" i ON i."sessionId" = s."id"
     WHERE s."userId" = ? AND s."expirationDate" > ? ORDER BY s."id" = ? DESC, MAX(COALESCE(i."lastSeenAt", 0), s."createdAt") DESC LIMIT ${MAX_LISTED_SESSIONS}`,
    userId,
    nowMs(),
    sessionKey,
  );
  return rows.map(({ id, place, ...row }) => ({
    ...row,
    place: formatRegion(place),
    handle: createSessionHandle(id),
    isCurrent: id === sessionKey,
  }));
}

/**
 * Deletes the member's session with this handle, and their device link, which that session may have
 * created. Throws AppError(not_found).
 */
export function deleteSession(
  tx: Tx,
  { userId, handle }: { userId: string; handle: string },
): void {
  const session = sqlOf(tx)
    .all<{ id: string }>(`SELECT "id" FROM "Session" WHERE "userId" = ?`, userId)
    .find(({ id }) => isValidSignature(LABEL, id, handle));
  if (!session) throw new AppError("not_found", "This device is already logged out.");
  sqlOf(tx).run(`DELETE FROM "DeviceLink" WHERE "userId" = ?`, userId);
  sqlOf(tx).run(`DELETE FROM "Session" WHERE "id" = ?`, session.id);
}

/**
 * Deletes the member's device link and all sessions except this one. Returns the number of deleted
 * sessions.
 */
export function deleteOtherSessions(
  tx: Tx,
  { userId, sessionKey }: { userId: string; sessionKey: string },
): number {
  sqlOf(tx).run(`DELETE FROM "DeviceLink" WHERE "userId" = ?`, userId);
  return sqlOf(tx).run(`DELETE FROM "Session" WHERE "userId" = ? AND "id" <> ?`, userId, sessionKey)
    .changes;
}

/**
 * Deletes the session with this key and its member's device link. For logging out the current
 * browser.
 */
export function deleteSessionByKey(tx: Tx, sessionKey: string): void {
  sqlOf(tx).run(
    `DELETE FROM "DeviceLink" WHERE "userId" = (SELECT "userId" FROM "Session" WHERE "id" = ?)`,
    sessionKey,
  );
  sqlOf(tx).run(`DELETE FROM "Session" WHERE "id" = ?`, sessionKey);
}
