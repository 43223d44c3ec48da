// Creates, lists and revokes a member's sessions.

import { DAY_MS, nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { formatRegion } from "#lib/core/fly-regions.ts";
import { generateSecret, hashSecret } from "#lib/core/secret.ts";
import { isValidSignature, signText } from "#lib/core/signature.ts";
import type { Sql } from "#lib/db/connection.ts";
import { SESSION_DAYS } from "./cookies.ts";
import type { SessionDevice } from "./describe-device.ts";

const LABEL = "lectern session handle v1";
/** The newest sessions; no one reads further. */
const MAX_LISTED_SESSIONS = 100;

/** Creates a session of 365 days. Returns the id for the cookie; the database stores its hash. */
export function createSession(
  sql: Sql,
  userId: string,
  device?: SessionDevice,
): { id: string; expiresAtMs: number } {
  const id = generateSecret(256);
  const now = nowMs();
  const expiresAtMs = now + SESSION_DAYS * DAY_MS;
  const key = hashSecret(id);
  sql.run(
    `INSERT INTO "Session" ("id", "createdAt", "userId", "expirationDate") VALUES (?, ?, ?, ?)`,
    key,
    now,
    userId,
    expiresAtMs,
  );
  if (device)
    sql.run(
      `INSERT INTO "SessionInfo" ("sessionId", "device", "place", "lastSeenAt") VALUES (?, ?, ?, ?)`,
      key,
      device.device,
      device.place,
      now,
    );
  return { id, expiresAtMs };
}

/**
 * Returns the name of a session on pages: an HMAC of its key, so that pages do not show what the database stores.
 * A row number would reveal how many logins there were, and SQLite may reuse it.
 */
export function createSessionHandle(sessionKey: string): string {
  return signText(LABEL, sessionKey);
}

export interface ListedSession {
  readonly handle: string;
  /** "Firefox on Linux"; null for a migrated session. */
  readonly device: string | null;
  /** The nearest known city, or null. */
  readonly place: string | null;
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
  /** The last write, up to an hour late; null for a migrated session. */
  readonly lastSeenAtMs: number | null;
  /** Whether it is the session that sends this request. */
  readonly isCurrent: boolean;
}

interface SessionRow extends Pick<
  ListedSession,
  "device" | "place" | "startedAtMs" | "lastSeenAtMs"
> {
  readonly id: string;
}

/** Returns the member's sessions that have not expired: the current one first, then by last activity. */
export function listSessions(
  sql: Sql,
  { userId, sessionKey }: { userId: string; sessionKey: string },
): ListedSession[] {
  const rows = sql.all<SessionRow>(
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

/** Deletes the member's session with this handle, and their device link, which may be that session's. Throws AppError(not_found). */
export function deleteSession(
  sql: Sql,
  { userId, handle }: { userId: string; handle: string },
): void {
  const session = sql
    .all<{ id: string }>(`SELECT "id" FROM "Session" WHERE "userId" = ?`, userId)
    .find(({ id }) => isValidSignature(LABEL, id, handle));
  if (!session) throw new AppError("not_found", "This device is already logged out.");
  sql.run(`DELETE FROM "DeviceLink" WHERE "userId" = ?`, userId);
  sql.run(`DELETE FROM "Session" WHERE "id" = ?`, session.id);
}

/** Deletes the member's device link and all sessions but this one. Returns how many sessions it deleted. */
export function deleteOtherSessions(
  sql: Sql,
  { userId, sessionKey }: { userId: string; sessionKey: string },
): number {
  sql.run(`DELETE FROM "DeviceLink" WHERE "userId" = ?`, userId);
  return sql.run(`DELETE FROM "Session" WHERE "userId" = ? AND "id" <> ?`, userId, sessionKey)
    .changes;
}

/** Deletes the session with this key and its member's device link: for the browser that holds the cookie. */
export function deleteSessionByKey(sql: Sql, sessionKey: string): void {
  sql.run(
    `DELETE FROM "DeviceLink" WHERE "userId" = (SELECT "userId" FROM "Session" WHERE "id" = ?)`,
    sessionKey,
  );
  sql.run(`DELETE FROM "Session" WHERE "id" = ?`, sessionKey);
}
