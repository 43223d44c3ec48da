// Authorizes writes: checks who the viewer is inside the transaction that writes.

import { HOUR_MS, nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { type Admin, type Member, assertAdmin, assertRecentLogin } from "#lib/members/member.ts";
import type { Sql } from "#lib/db/connection.ts";
import { type WriteOptions, writeSql } from "#lib/db/database.ts";
import { type SessionIds, resolveViewer } from "./viewer.ts";

export type RequiredRole = "anyone" | "member" | "admin";
export type MemberWithRole<R extends RequiredRole> = R extends "admin"
  ? Admin
  : R extends "member"
    ? Member
    : Member | null;

interface Requirement<R extends RequiredRole> {
  readonly role: R;
  /** Requires a login of the last 15 minutes. */
  readonly isRecentLogin?: boolean;
}

/** The precision of "last seen": it is written with other writes only, at most this often. */
const LAST_SEEN_INTERVAL_MS = HOUR_MS;

/**
 * Returns the member with these ids. Throws AppError: unauthorized without a session, forbidden for a member who is not an
 * admin where one is required, unauthorized (field "login") if a recent login is required and missing.
 */
export function requireViewer<R extends RequiredRole>(
  sql: Sql,
  sessionIds: SessionIds,
  { role, isRecentLogin = false }: Requirement<R>,
): MemberWithRole<R> {
  const { member } = resolveViewer(sql, sessionIds);
  if (role !== "anyone") {
    if (!member) throw new AppError("unauthorized", "Log in first.");
    if (role === "admin") assertAdmin(member);
    if (isRecentLogin) assertRecentLogin(member);
  }
  return member as MemberWithRole<R>;
}

/**
 * Runs `fn` as writeSql does, with the member as the transaction sees them. Call ensurePrimary first.
 * Throws what requireViewer and writeSql throw; nothing is written then.
 */
export function writeAuthorized<R extends RequiredRole, T>(
  sessionIds: SessionIds,
  { role, isRecentLogin, ...options }: Requirement<R> & WriteOptions,
  fn: (sql: Sql, member: MemberWithRole<R>) => T,
): Promise<T> {
  return writeSql((sql) => {
    const member = requireViewer(sql, sessionIds, { role, isRecentLogin });
    if (member)
      sql.run(
        `UPDATE "SessionInfo" SET "lastSeenAt" = ? WHERE "sessionId" = ? AND "lastSeenAt" < ?`,
        nowMs(),
        member.sessionKey,
        nowMs() - LAST_SEEN_INTERVAL_MS,
      );
    return fn(sql, member);
  }, options);
}
