// Grants and revokes the admin role. The command line appoints the first admin, who can appoint
// others.

import { nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { type Member, assertAdmin, assertRecentLogin } from "#lib/members/member.ts";
import { recordAuditEvent } from "#lib/db/audit.ts";
import type { Tx } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";

export const ROLES = ["ADMIN", "MEMBER"] as const;
export type Role = (typeof ROLES)[number];

/**
 * The command line needs no role, because a user who can run it can also edit the database file.
 */
export const COMMAND_LINE = "command line";

export interface RoleChange {
  readonly id: string;
  readonly from: Role;
  readonly to: Role;
  /** Number of the member's sessions that were revoked. */
  readonly revokedSessionCount: number;
  /** Number of admins after the change. */
  readonly adminCount: number;
}

interface RoleChangeTarget {
  readonly id: string;
  readonly role: Role;
  readonly updatedAt: number;
}

export function countAdmins(tx: Tx): number {
  return (
    sqlOf(tx).get<{ n: number }>(`SELECT COUNT(*) AS "n" FROM "User" WHERE "role" = 'ADMIN'`)?.n ??
    0
  );
}

/** Returns every admin, oldest first. */
export function listAdmins(
  tx: Tx,
): { id: string; email: string; firstName: string; createdAt: number }[] {
  return sqlOf(tx).all(
    `SELECT "id", "email", "firstName", "createdAt" FROM "User" WHERE "role" = 'ADMIN' ORDER BY "createdAt", "id"`,
  );
}

/** Deletes all sessions and device links of the member. Returns the number of sessions. */
export function revokeAllSessions(tx: Tx, userId: string): number {
  sqlOf(tx).run(`DELETE FROM "DeviceLink" WHERE "userId" = ?`, userId);
  return sqlOf(tx).run(`DELETE FROM "Session" WHERE "userId" = ?`, userId).changes;
}

/**
 * Sets the member's role, revokes their sessions (a privilege change requires a new one) and
 * records an audit event. Throws AppError(forbidden) or AppError(unauthorized) unless `actor` is an
 * admin with a recent login, and AppError(not_found). Throws AppError(conflict) if the member
 * already has the role, has changed since `expectedUpdatedAt` (optimistic lock), or is the last
 * admin (which the command line may demote).
 */
export function changeRole(
  tx: Tx,
  actor: Member | typeof COMMAND_LINE,
  { id, role, expectedUpdatedAt }: { id: string; role: Role; expectedUpdatedAt?: number },
): RoleChange {
  if (actor !== COMMAND_LINE) {
    assertAdmin(actor);
    assertRecentLogin(actor);
  }
  const target = sqlOf(tx).get<RoleChangeTarget>(
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
  if (actor !== COMMAND_LINE && target.role === "ADMIN" && countAdmins(tx) === 1)
    throw createLastAdminError();
  sqlOf(tx).run(
    `UPDATE "User" SET "role" = ?, "updatedAt" = MAX(?, "updatedAt" + 1) WHERE "id" = ?`,
    role,
    nowMs(),
    id,
  );
  const revokedSessionCount = revokeAllSessions(tx, id);
  recordAuditEvent(tx, {
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
    adminCount: countAdmins(tx),
  };
}

/**
 * Runs changeRole() for an email address from the command line; case is ignored. Throws
 * AppError(not_found) if it has no account, and AppError(conflict) if several accounts differ only
 * in case.
 */
export function changeRoleByEmail(
  tx: Tx,
  { email, role }: { email: string; role: Role },
): RoleChange {
  const users = sqlOf(tx).all<{ id: string; email: string }>(
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
      `These members' addresses differ only in case: ${users.map((user) => user.email).join(", ")}. Enter one of them exactly.`,
      { field: "email" },
    );
  }
  return changeRole(tx, COMMAND_LINE, { id: target.id, role });
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
