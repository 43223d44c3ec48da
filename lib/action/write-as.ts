// The door for writes, for somebody: who they are is asked again inside the transaction that writes.

import { HOUR_MS, nowMs } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";
import { type Admin, type Member, assertAdmin, assertRecentLogin } from "../base/member.ts";
import type { Sql } from "../db/connection.ts";
import { type WriteOptions, writeSql } from "../db/database.ts";
import { ensurePrimary } from "../primary/ensure-primary.ts";
import { type Identity, findReader } from "../session/session.ts";

export type Who = "anyone" | "member" | "admin";
export type MemberOf<W extends Who> = W extends "admin"
  ? Admin
  : W extends "member"
    ? Member
    : Member | null;

/** How fresh "last seen" is: a write of its own for each would be dear. */
const SEEN_EVERY_MS = HOUR_MS;

/**
 * The member of `identity` as `who` asks for. Throws AppError: unauthorized without a session, forbidden for a member
 * where an admin is asked for, unauthorized (field "login") where `recent` is asked for and the log-in is older than 15 minutes.
 */
export function memberOf<W extends Who>(
  sql: Sql,
  identity: Identity,
  who: W,
  recent = false,
): MemberOf<W> {
  const { member } = findReader(sql, identity);
  if (who !== "anyone") {
    if (!member) throw new AppError("unauthorized", "Log in first.");
    if (who === "admin") assertAdmin(member);
    if (recent) assertRecentLogin(member);
  }
  return member as MemberOf<W>;
}

/** writeSql for `who`: `fn` gets the member as the transaction sees them. Throws as memberOf and ensurePrimary do; then nothing is written. */
export async function writeAs<W extends Who, T>(
  identity: Identity,
  { who, recent, ...options }: { who: W; recent?: boolean } & WriteOptions,
  fn: (sql: Sql, member: MemberOf<W>) => T,
): Promise<T> {
  await ensurePrimary();
  const work = (sql: Sql) => {
    const member = memberOf(sql, identity, who, recent);
    if (member)
      sql.run(
        `UPDATE "SessionInfo" SET "lastSeenAt" = ? WHERE "sessionId" = ? AND "lastSeenAt" < ?`,
        nowMs(),
        member.sessionKey,
        nowMs() - SEEN_EVERY_MS,
      );
    return fn(sql, member);
  };
  return writeSql(work, options);
}
