// Who is an admin: granted and taken, by the command line for the first one, by admins from then on.

import { nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { type Member, assertAdmin, assertRecentLogin } from "#lib/core/member.ts";
import { recordAuditEvent } from "../db/audit.ts";
import type { Sql } from "../db/connection.ts";

export type Role = "ADMIN" | "MEMBER";

/** The command line stands beside the database: whoever can run it could change the file as well. */
export const COMMAND_LINE = "command line";

export interface RoleChange {
  readonly id: string;
  readonly from: Role;
  readonly to: Role;
  /** Their sessions that ended. */
  readonly revokedSessionCount: number;
  /** How many admins there are now. */
  readonly adminCount: number;
}

interface RoleChangeTarget {
  readonly id: string;
  readonly role: Role;
  readonly updatedAt: number;
}

export function countAdmins(sql: Sql): number {
  return (
    sql.get<{ n: number }>(`SELECT COUNT(*) AS "n" FROM "User" WHERE "role" = 'ADMIN'`)?.n ?? 0
  );
}

/** Every admin, oldest first: for the command line. */
export function listAdmins(
  sql: Sql,
): { id: string; email: string; firstName: string; createdAt: number }[] {
  return sql.all(
    `SELECT "id", "email", "firstName", "createdAt" FROM "User" WHERE "role" = 'ADMIN' ORDER BY "createdAt", "id"`,
  );
}

/** Ends every session of the member, and the codes that would begin one on another device. Returns how many sessions. */
export function revokeAllSessions(sql: Sql, userId: string): number {
  sql.run(`DELETE FROM "DeviceLink" WHERE "userId" = ?`, userId);
  return sql.run(`DELETE FROM "Session" WHERE "userId" = ?`, userId).changes;
}

/**
 * Gives the member `role`, ends their sessions (a new session at every change of privilege) and notes it.
 * Throws AppError: forbidden and unauthorized for all but an admin who has just logged in, not_found, conflict when they have that
 * role already, or changed since `seenUpdatedAt`, or when nobody would be admin any more (the command line may do that).
 */
export function changeRole(
  sql: Sql,
  by: Member | typeof COMMAND_LINE,
  { id, role, seenUpdatedAt }: { id: string; role: Role; seenUpdatedAt?: number },
): RoleChange {
  if (by !== COMMAND_LINE) {
    assertAdmin(by);
    assertRecentLogin(by);
  }
  const target = sql.get<RoleChangeTarget>(
    `SELECT "id", "role", "updatedAt" FROM "User" WHERE "id" = ?`,
    id,
  );
  if (!target) throw new AppError("not_found", "There is no such member any more.");
  if (seenUpdatedAt !== undefined && seenUpdatedAt !== target.updatedAt)
    throw createEditConflictError();
  if (target.role === role)
    throw new AppError(
      "conflict",
      role === "ADMIN" ? "They are an admin already." : "They are no admin.",
    );
  if (by !== COMMAND_LINE && target.role === "ADMIN" && countAdmins(sql) === 1)
    throw createLastAdminError();
  sql.run(
    `UPDATE "User" SET "role" = ?, "updatedAt" = MAX(?, "updatedAt" + 1) WHERE "id" = ?`,
    role,
    nowMs(),
    id,
  );
  const ended = revokeAllSessions(sql, id);
  recordAuditEvent(sql, {
    actorId: by === COMMAND_LINE ? null : by.id,
    action: "user.role",
    subjectId: id,
    detail: { role: { from: target.role, to: role }, sessions: ended },
  });
  return {
    id,
    from: target.role,
    to: role,
    revokedSessionCount: ended,
    adminCount: countAdmins(sql),
  };
}

/** changeRole for an address, in any capitals. Also throws AppError(not_found) when nobody has signed up with it. Command line only. */
export function changeRoleByEmail(
  sql: Sql,
  { email, role }: { email: string; role: Role },
): RoleChange {
  const found = sql.all<{ id: string; email: string }>(
    `SELECT "id", "email" FROM "User" WHERE "email" = ? COLLATE NOCASE`,
    email,
  );
  const target = found.find((user) => user.email === email) ?? found[0];
  if (!target)
    throw new AppError(
      "not_found",
      `${email} has not signed up yet. Sign up on the site with this address first.`,
      { field: "email" },
    );
  if (found.length > 1 && target.email !== email) {
    throw new AppError(
      "conflict",
      `Several members have this address, in other capitals: ${found.map((user) => user.email).join(", ")}. Write it exactly as one of them.`,
      { field: "email" },
    );
  }
  return changeRole(sql, COMMAND_LINE, { id: target.id, role });
}

export function createLastAdminError(): AppError {
  return new AppError("conflict", "This is the last admin: make somebody else an admin first.");
}

export function createEditConflictError(): AppError {
  return new AppError(
    "conflict",
    "Somebody changed this member meanwhile. Load the page again to see what they are now.",
  );
}
