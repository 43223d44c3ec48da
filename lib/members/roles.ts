// Grants and revokes the admin role: the command line for the first admin, admins from then on.

import { nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { type Member, assertAdmin, assertRecentLogin } from "#lib/members/member.ts";
import { recordAuditEvent } from "#lib/db/audit.ts";
import type { Sql } from "#lib/db/connection.ts";

export const ROLES = ["ADMIN", "MEMBER"] as const;
export type Role = (typeof ROLES)[number];

/** The command line needs no role: a user who can run it could change the database file, too. */
export const COMMAND_LINE = "command line";

export interface RoleChange {
  readonly id: string;
  readonly from: Role;
  readonly to: Role;
  /** How many sessions of theirs were revoked. */
  readonly revokedSessionCount: number;
  /** How many admins there are after the change. */
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

/** Returns every admin, oldest first. */
export function listAdmins(
  sql: Sql,
): { id: string; email: string; firstName: string; createdAt: number }[] {
  return sql.all(
    `SELECT "id", "email", "firstName", "createdAt" FROM "User" WHERE "role" = 'ADMIN' ORDER BY "createdAt", "id"`,
  );
}

/** Deletes every session and device link of the member. Returns how many sessions. */
export function revokeAllSessions(sql: Sql, userId: string): number {
  sql.run(`DELETE FROM "DeviceLink" WHERE "userId" = ?`, userId);
  return sql.run(`DELETE FROM "Session" WHERE "userId" = ?`, userId).changes;
}

/**
 * Gives the member `role`, revokes their sessions (a new session at every change of privilege) and records an audit event.
 * Throws AppError: forbidden or unauthorized unless `actor` is an admin with a recent login, not_found, conflict if they have the
 * role already, have changed since `expectedUpdatedAt` (optimistic lock), or are the last admin (the command line may revoke that).
 */
export function changeRole(
  sql: Sql,
  actor: Member | typeof COMMAND_LINE,
  { id, role, expectedUpdatedAt }: { id: string; role: Role; expectedUpdatedAt?: number },
): RoleChange {
  if (actor !== COMMAND_LINE) {
    assertAdmin(actor);
    assertRecentLogin(actor);
  }
  const target = sql.get<RoleChangeTarget>(
    `SELECT "id", "role", "updatedAt" FROM "User" WHERE "id" = ?`,
    id,
  );
  if (!target) throw new AppError("not_found", "This member no longer exists.");
  if (expectedUpdatedAt !== undefined && expectedUpdatedAt !== target.updatedAt)
    throw createEditConflictError();
  if (target.role === role)
    throw new AppError(
      "conflict",
      role === "ADMIN" ? "They are already an admin." : "They are not an admin.",
    );
  if (actor !== COMMAND_LINE && target.role === "ADMIN" && countAdmins(sql) === 1)
    throw createLastAdminError();
  sql.run(
    `UPDATE "User" SET "role" = ?, "updatedAt" = MAX(?, "updatedAt" + 1) WHERE "id" = ?`,
    role,
    nowMs(),
    id,
  );
  const revokedSessionCount = revokeAllSessions(sql, id);
  recordAuditEvent(sql, {
    actorId: actor === COMMAND_LINE ? null : actor.id,
    action: "user.role",
    subjectId: id,
    detail: { role: { from: target.role, to: role }, sessions: revokedSessionCount },
  });
  return {
    id,
    from: target.role,
    to: role,
    revokedSessionCount,
    adminCount: countAdmins(sql),
  };
}

/** Runs changeRole for an address, in any case. Throws AppError(not_found) if it has no account. Command line only. */
export function changeRoleByEmail(
  sql: Sql,
  { email, role }: { email: string; role: Role },
): RoleChange {
  const users = sql.all<{ id: string; email: string }>(
    `SELECT "id", "email" FROM "User" WHERE "email" = ? COLLATE NOCASE`,
    email,
  );
  const target = users.find((user) => user.email === email) ?? users[0];
  if (!target)
    throw new AppError(
      "not_found",
      `${email} has not signed up yet. Sign up on the site with this address first.`,
      { field: "email" },
    );
  if (users.length > 1 && target.email !== email) {
    throw new AppError(
      "conflict",
      `Several members' addresses differ only in case: ${users.map((user) => user.email).join(", ")}. Give one of them exactly.`,
      { field: "email" },
    );
  }
  return changeRole(sql, COMMAND_LINE, { id: target.id, role });
}

export function createLastAdminError(): AppError {
  return new AppError("conflict", "This is the last admin. Make someone else an admin first.");
}

export function createEditConflictError(): AppError {
  return new AppError(
    "conflict",
    "This member has changed since you opened the page. Reload it to see the current version.",
  );
}
