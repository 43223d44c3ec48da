// The door for writes, for somebody: who they are is asked again inside the transaction that writes.

import { HOUR_MS, nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { type Admin, type Member, assertAdmin, assertRecentLogin } from "#lib/core/member.ts";
import type { Sql } from "#lib/db/connection.ts";
import { type WriteOptions, writeSql } from "#lib/db/database.ts";
import { ensurePrimary } from "#lib/replication/ensure-primary.ts";
import { type SessionIds, resolveViewer } from "./session/session.ts";

export type RequiredRole = "anyone" | "member" | "admin";
export type MemberWithRole<W extends RequiredRole> = W extends "admin"
  ? Admin
  : W extends "member"
    ? Member
    : Member | null;

/** How fresh "last seen" is: a write of its own for each would be dear. */
const LAST_SEEN_INTERVAL_MS = HOUR_MS;

/**
 * The member of `identity` as `who` asks for. Throws AppError: unauthorized without a session, forbidden for a member
 * where an admin is asked for, unauthorized (field "login") where `recent` is asked for and the log-in is older than 15 minutes.
 */
export function requireViewer<W extends RequiredRole>(
  sql: Sql,
  identity: SessionIds,
  who: W,
  recent = false,
): MemberWithRole<W> {
  const { member } = resolveViewer(sql, identity);
  if (who !== "anyone") {
    if (!member) throw new AppError("unauthorized", "Log in first.");
    if (who === "admin") assertAdmin(member);
    if (recent) assertRecentLogin(member);
  }
  return member as MemberWithRole<W>;
}

/** writeSql for `who`: `fn` gets the member as the transaction sees them. Throws as memberOf and ensurePrimary do; then nothing is written. */
export async function writeAuthorized<W extends RequiredRole, T>(
  identity: SessionIds,
  { who, recent, ...options }: { who: W; recent?: boolean } & WriteOptions,
  fn: (sql: Sql, member: MemberWithRole<W>) => T,
): Promise<T> {
  await ensurePrimary();
  const work = (sql: Sql) => {
    const member = requireViewer(sql, identity, who, recent);
    if (member)
      sql.run(
        `UPDATE "SessionInfo" SET "lastSeenAt" = ? WHERE "sessionId" = ? AND "lastSeenAt" < ?`,
        nowMs(),
        member.sessionKey,
        nowMs() - LAST_SEEN_INTERVAL_MS,
      );
    return fn(sql, member);
  };
  return writeSql(work, options);
}
