// Cookie ↔ member. The only place that reads cookies to learn who somebody is.

import { randomBytes } from "node:crypto";
import { sealData, unsealData } from "iron-session";
import { LRUCache } from "lru-cache";
import { cookies } from "#lib/http/next-request.ts";
import { DAY_MS, nowMs } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { AppError } from "#lib/core/errors.ts";
import { type Admin, type Member, assertAdmin } from "#lib/core/member.ts";
import { hashSessionId } from "./hash-session-id.ts";
import type { Sql } from "#lib/db/connection.ts";
import { readSql } from "#lib/db/database.ts";
import { getCookieName } from "#lib/core/cookie-names.ts";
import { readLegacyReaderId, readLegacySessionId } from "#lib/members/cookies/legacy-cookie.ts";
import { readReaderCookie } from "#lib/members/cookies/reader-cookie.ts";

/** reference.md: a session lives 365 days. */
export const SESSION_DAYS = 365;

/** Who reads: a member, or an anonymous reader whose first counted read gave them an id, or nobody yet. */
export interface Viewer {
  readonly member: Member | null;
  readonly clientId: string | null;
}

/** What the cookies say, before the database was asked. */
export interface SessionIds {
  readonly sessionKey: string | null;
  readonly clientId: string | null;
}

export const ANONYMOUS_VIEWER: Viewer = { member: null, clientId: null };

export type { Admin, Member };

const getSessionCookieName = () => getCookieName("session");

interface SessionCookie {
  readonly id: string;
  /** When the cookie was made; null for one made before cookies said so. */
  readonly sealedAtMs: number | null;
  /** When the session would end, as its row had it then; null likewise. The row decides: this only spares a look at it. */
  readonly untilMs: number | null;
}

// Opening a seal costs a key derivation and a decryption, about as much as a small page: members send the same
// cookie with every request. Kept a minute, so that the seal's own age still counts.
const unsealedCookies = new LRUCache<string, SessionCookie>({ max: 5_000, ttl: 60_000 });

/** What the session cookie `sealed` holds; null when it is forged, damaged or too old. */
export async function unsealSession(sealed: string | undefined): Promise<SessionCookie | null> {
  if (!sealed) return null;
  const known = unsealedCookies.get(sealed);
  if (known) return known;
  const { id, sealedAtMs, untilMs } = await unsealData<{
    id?: string;
    sealedAtMs?: number;
    untilMs?: number;
  }>(sealed, { password: env.SESSION_SECRET, ttl: (SESSION_DAYS * DAY_MS) / 1000 });
  if (typeof id !== "string") return null;
  const seal = { id, sealedAtMs: sealedAtMs ?? null, untilMs: untilMs ?? null };
  unsealedCookies.set(sealed, seal);
  return seal;
}

/** Who the request's cookies claim to be. A forged or expired cookie counts as none; one of the site before where there is none of ours. */
export async function readSessionCookies(): Promise<SessionIds> {
  const jar = await cookies();
  const get = (name: string) => jar.get(name)?.value;
  const seal = await unsealSession(get(getSessionCookieName()));
  const id = seal ? seal.id : readLegacySessionId(get);
  return {
    sessionKey: id === null ? null : hashSessionId(id),
    clientId: readReaderCookie(get) ?? readLegacyReaderId(get),
  };
}

/** The reader behind an identity; a session that has ended or was deleted leaves an anonymous one. */
export function resolveViewer(sql: Sql, identity: SessionIds): Viewer {
  const member = identity.sessionKey
    ? sql.get<Member>(
        `SELECT u."id", u."firstName", u."team", u."role", s."id" AS "sessionKey", s."createdAt" AS "loggedInAtMs" FROM "Session" s JOIN "User" u ON u."id" = s."userId" WHERE s."id" = ? AND s."expirationDate" > ?`,
        identity.sessionKey,
        nowMs(),
      )
    : undefined;
  return { member: member ?? null, clientId: identity.clientId };
}

/** The reader of this request. Pages that read more take readIdentity and findReader into one snapshot instead. */
export async function getViewer(): Promise<Viewer> {
  const identity = await readSessionCookies();
  if (!identity.sessionKey) return { member: null, clientId: identity.clientId };
  return readSql((sql) => resolveViewer(sql, identity));
}

/** The member of this request; throws AppError(unauthorized) for anybody else. */
export async function requireMember(): Promise<Member> {
  const { member } = await getViewer();
  if (!member) throw new AppError("unauthorized", "Log in first.");
  return member;
}

/** The admin of this request; throws AppError(unauthorized) without a session, AppError(forbidden) for a member. */
export async function requireAdmin(): Promise<Admin> {
  const member = await requireMember();
  assertAdmin(member);
  return member;
}

/** Where a session is begun: what its member sees in the list of their sessions. */
export interface SessionDevice {
  /** "Firefox on Linux"; at most 120 characters. */
  readonly device: string;
  readonly place: string | null;
}

/** Adds a session of the member for 365 days. Returns the id for the cookie; the database only gets its hash. */
export function createSession(
  sql: Sql,
  userId: string,
  where?: SessionDevice,
): { id: string; expiresAtMs: number } {
  const id = randomBytes(32).toString("base64url");
  const now = nowMs();
  const expiresAtMs = now + SESSION_DAYS * DAY_MS;
  const key = hashSessionId(id);
  sql.run(
    `INSERT INTO "Session" ("id", "createdAt", "userId", "expirationDate") VALUES (?, ?, ?, ?)`,
    key,
    now,
    userId,
    expiresAtMs,
  );
  if (where)
    sql.run(
      `INSERT INTO "SessionInfo" ("sessionId", "device", "place", "lastSeenAt") VALUES (?, ?, ?, ?)`,
      key,
      where.device,
      where.place,
      now,
    );
  return { id, expiresAtMs };
}

/** The cookie that carries a session id: sealed, httpOnly, lax, 365 days. */
export async function sealSessionCookie({
  id,
  expiresAtMs,
}: {
  readonly id: string;
  readonly expiresAtMs: number;
}) {
  const maxAge = (SESSION_DAYS * DAY_MS) / 1000;
  return {
    name: getSessionCookieName(),
    value: await sealData(
      { id, sealedAtMs: nowMs(), untilMs: expiresAtMs },
      { password: env.SESSION_SECRET, ttl: maxAge },
    ),
    ...getCookieFlags(),
    maxAge,
  };
}

/** What all our cookies have in common: httpOnly, lax, the whole path, and Secure where the site is served over https. */
export function getCookieFlags() {
  return {
    httpOnly: true,
    secure: env.SITE_URL.startsWith("https:"),
    sameSite: "lax" as const,
    path: "/",
  };
}
