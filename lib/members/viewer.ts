// Resolves a request's viewer: a member, an anonymous reader with an ID, or neither.

import { AppError } from "#lib/core/errors.ts";
import type { Member } from "#lib/members/member.ts";
import { hashSecret } from "#lib/core/secret.ts";
import { type Tx, read, readSql } from "#lib/db/database.ts";
import { getCookieName } from "#lib/core/cookie-names.ts";
import { readRequestCookies } from "#lib/http/cookies.ts";
import { readReaderCookie, unsealSession } from "./cookies.ts";
import { readLegacyReaderId, readLegacySessionId } from "./legacy-cookies.ts";
import { findSessionMember } from "./viewer.sql.ts";

/** The IDs in the cookies, not checked against the database. */
export interface SessionIds {
  /** Primary key of the session: the SHA-256 of the ID in the cookie. */
  readonly sessionKey: string | null;
  readonly clientId: string | null;
  /** Whether the header links to the admin pages. They check the role in the database. */
  readonly showsAdminLink?: boolean;
}

export interface Viewer {
  readonly member: Member | null;
  /** The ID that an anonymous reader gets with their first counted read. */
  readonly clientId: string | null;
}

/**
 * Returns the session and reader IDs from the cookies. Invalid cookies are ignored; legacy cookies
 * are a fallback.
 */
export async function readSessionCookies(): Promise<SessionIds> {
  return findSessionIds(await readRequestCookies());
}

/** Like readSessionCookies(), from the cookies that `get` returns by name. */
export async function findSessionIds(
  get: (name: string) => string | undefined,
): Promise<SessionIds> {
  const session = await unsealSession(get(getCookieName("session")));
  const id = session ? session.id : readLegacySessionId(get);
  return {
    sessionKey: id === null ? null : hashSecret(id),
    clientId: readReaderCookie(get) ?? readLegacyReaderId(get),
    showsAdminLink: session?.isAdmin ?? false,
  };
}

/**
 * Returns the viewer with these IDs; `member` is null if the session has expired or was deleted.
 */
export async function resolveViewer(tx: Tx, { sessionKey, clientId }: SessionIds): Promise<Viewer> {
  const session = findSessionMember(tx, sessionKey);
  if (!sessionKey || !session) return { member: null, clientId };
  const user = await tx.user.findUnique({
    where: { id: session.id },
    select: { id: true, firstName: true, team: true, role: true },
  });
  const member = user && {
    id: user.id,
    firstName: user.firstName,
    team: user.team,
    role: user.role,
    sessionKey,
    loggedInAtMs: session.loggedInAtMs,
  };
  return { member, clientId };
}

/** Returns whether the session exists, much faster than resolveViewer(). Authorizes nothing. */
export const hasSession = async ({ sessionKey }: SessionIds): Promise<boolean> =>
  sessionKey !== null && (await readSql((sql) => findSessionMember(sql, sessionKey))) !== null;

/**
 * Returns the viewer of this request. Pages that read more should call resolveViewer() in their own
 * read().
 */
export async function getViewer(ids?: SessionIds): Promise<Viewer> {
  const sessionIds = ids ?? (await readSessionCookies());
  if (!sessionIds.sessionKey) return { member: null, clientId: sessionIds.clientId };
  return read((tx) => resolveViewer(tx, sessionIds));
}

/**
 * Returns the member of this request. Throws AppError(unauthorized) if the viewer is not logged in.
 */
export async function requireMember(): Promise<Member> {
  const { member } = await getViewer();
  if (!member) throw new AppError("unauthorized", "Log in first.");
  return member;
}

/** Returns whether the cookies that `get` returns by name belong to a logged-in admin. */
export async function hasAdminSession(get: (name: string) => string | undefined): Promise<boolean> {
  const { member } = await getViewer(await findSessionIds(get));
  return member?.role === "ADMIN";
}
