// Authorizes writes: checks the viewer inside the writing transaction.

import { HOUR_MS, nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { type Admin, type Member, assertAdmin, assertRecentLogin } from "#lib/members/member.ts";
import { type WriteOptions, type Tx, write } from "#lib/db/database.ts";
import { type SessionIds, resolveViewer } from "./viewer.ts";

export type RequiredRole = "anyone" | "member" | "admin";
export type MemberWithRole<R extends RequiredRole> = R extends "admin"
  ? Admin
  : R extends "member"
    ? Member
    : Member | null;

interface Requirement<R extends RequiredRole> {
  readonly role: R;
  /** Requires a login within RECENT_LOGIN_MS. */
  readonly isRecentLogin?: boolean;
}

/** Precision of lastSeenAt, which is updated only along with other writes, at most this often. */
const LAST_SEEN_INTERVAL_MS = HOUR_MS;

/**
 * Returns the member with these IDs. Throws AppError(unauthorized) without a session,
 * AppError(forbidden) if an admin is required, and AppError(unauthorized) with field "login" if a
 * recent login is required.
 */
export async function requireViewer<R extends RequiredRole>(
  tx: Tx,
  sessionIds: SessionIds,
  { role, isRecentLogin = false }: Requirement<R>,
): Promise<MemberWithRole<R>> {
  const { member } = await resolveViewer(tx, sessionIds);
  if (role !== "anyone") {
    if (!member) throw new AppError("unauthorized", "Log in first.");
    if (role === "admin") assertAdmin(member);
    if (isRecentLogin) assertRecentLogin(member);
  }
  return member as MemberWithRole<R>;
}

/**
 * Runs `fn` like write(), with the member as of this transaction. Call ensurePrimary() first.
 * Throws like requireViewer() and write(); then nothing is written.
 */
export function writeAuthorized<R extends RequiredRole, T>(
  sessionIds: SessionIds,
  { role, isRecentLogin, ...options }: Requirement<R> & WriteOptions,
  fn: (tx: Tx, member: MemberWithRole<R>) => Promise<T> | T,
): Promise<T> {
  return write(async (tx) => {
    const member = await requireViewer(tx, sessionIds, { role, isRecentLogin });
    if (member)
      await tx.sessionInfo.updateMany({
        where: {
          sessionId: member.sessionKey,
          lastSeenAt: { lt: new Date(nowMs() - LAST_SEEN_INTERVAL_MS) },
        },
        data: { lastSeenAt: new Date(nowMs()) },
      });
    return fn(tx, member);
  }, options);
}
