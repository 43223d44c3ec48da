// Where a member is logged in, and how that ends.

import { nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { isValidSignature, signText } from "#lib/core/signature.ts";
import type { Sql } from "../db/connection.ts";

const LABEL = "lectern session handle v1";
/** More than anybody looks through; the newest of them. */
const MAX_LISTED_SESSIONS = 100;

/** Where Fly's proxies stand, by its code of the region (its documentation). */
const CITIES: Record<string, string> = {
  ams: "Amsterdam",
  arn: "Stockholm",
  atl: "Atlanta",
  bog: "Bogotá",
  bom: "Mumbai",
  bos: "Boston",
  cdg: "Paris",
  den: "Denver",
  dfw: "Dallas",
  ewr: "New York",
  eze: "Buenos Aires",
  fra: "Frankfurt",
  gdl: "Guadalajara",
  gig: "Rio de Janeiro",
  gru: "São Paulo",
  hkg: "Hong Kong",
  iad: "Ashburn, Virginia",
  jnb: "Johannesburg",
  lax: "Los Angeles",
  lhr: "London",
  maa: "Chennai",
  mad: "Madrid",
  mia: "Miami",
  nrt: "Tokyo",
  ord: "Chicago",
  otp: "Bucharest",
  phx: "Phoenix",
  qro: "Querétaro",
  scl: "Santiago",
  sea: "Seattle",
  sin: "Singapore",
  sjc: "San Jose",
  syd: "Sydney",
  waw: "Warsaw",
  yul: "Montreal",
  yyz: "Toronto",
};

/** The city of a region's code, the code itself for a new region; null where none is known. */
export function formatRegion(region: string | null): string | null {
  return region && ((Object.hasOwn(CITIES, region) && CITIES[region]) || region);
}

/**
 * What a page calls a session: an HMAC of its key. The key itself logs nobody in, but no page need show what the database holds;
 * a row's number would tell how many log-ins the site has seen, and SQLite may give it to another row.
 */
export function createSessionHandle(sessionKey: string): string {
  return signText(LABEL, sessionKey);
}

export interface ListedSession {
  readonly handle: string;
  /** "Firefox on Linux"; null for a session moved in from elsewhere. */
  readonly device: string | null;
  /** A city near it; null where none is known. */
  readonly place: string | null;
  readonly begunAt: number;
  /** Of its last change, at most an hour late; null for a session moved in from elsewhere. */
  readonly lastSeenAt: number | null;
  /** The one that asks. */
  readonly isCurrent: boolean;
}

interface SessionRow {
  readonly id: string;
  readonly device: string | null;
  readonly place: string | null;
  readonly begunAt: number;
  readonly lastSeenAt: number | null;
}

/** The sessions of the member that have not expired: this one first, then the one seen last. */
export function listSessions(
  sql: Sql,
  { userId, sessionKey }: { userId: string; sessionKey: string },
): ListedSession[] {
  const rows = sql.all<SessionRow>(
    `SELECT s."id", i."device", i."place", COALESCE(i."begunAt", s."createdAt") AS "begunAt", i."lastSeenAt" FROM "Session" s LEFT JOIN "SessionInfo" i ON i."sessionId" = s."id"
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

/** Ends the session with this handle, one of the member's own, and voids the code for another device: it may be that one's. Throws AppError(not_found) for any other. */
export function deleteSession(
  sql: Sql,
  { userId, handle }: { userId: string; handle: string },
): void {
  const session = sql
    .all<{ id: string }>(`SELECT "id" FROM "Session" WHERE "userId" = ?`, userId)
    .find(({ id }) => isValidSignature(LABEL, id, handle));
  if (!session)
    throw new AppError(
      "not_found",
      "You have no such session: it has ended, perhaps from another window.",
    );
  sql.run(`DELETE FROM "DeviceLink" WHERE "userId" = ?`, userId);
  sql.run(`DELETE FROM "Session" WHERE "id" = ?`, session.id);
}

/** Ends all sessions of the member but this one, and voids the code that would begin another. Returns how many ended. */
export function deleteOtherSessions(
  sql: Sql,
  { userId, sessionKey }: { userId: string; sessionKey: string },
): number {
  sql.run(`DELETE FROM "DeviceLink" WHERE "userId" = ?`, userId);
  return sql.run(`DELETE FROM "Session" WHERE "userId" = ? AND "id" <> ?`, userId, sessionKey)
    .changes;
}

/** Ends the session of this key, whoever's, and voids its member's code for another device: for the browser that holds its cookie. */
export function deleteSessionByKey(sql: Sql, sessionKey: string): void {
  sql.run(
    `DELETE FROM "DeviceLink" WHERE "userId" = (SELECT "userId" FROM "Session" WHERE "id" = ?)`,
    sessionKey,
  );
  sql.run(`DELETE FROM "Session" WHERE "id" = ?`, sessionKey);
}
