// Grants and revokes the admin role. The command line appoints the first admin, who can appoint
// others.

import { nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { type Member, assertAdmin, assertRecentLogin } from "#lib/members/member.ts";
import { recordAuditEvent } from "#lib/db/audit.ts";
import type { Role } from "#lib/db/column-values.ts";
import type { Tx } from "#lib/db/database.ts";
import { findUsersByEmail } from "./email.sql.ts";

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

export async function countAdmins(tx: Tx): Promise<number> {
  return tx.user.count({ where: { role: "ADMIN" } });
}

/** Returns every admin, oldest first. */
export async function listAdmins(tx: Tx) {
  return tx.user.findMany({
    where: { role: "ADMIN" },
    select: { id: true, email: true, firstName: true, createdAt: true },
    orderBy: [{ createdAt: "asc" }, { id: "asc" }],
  });
}

/** Deletes all sessions and device links of the member. Returns the number of sessions. */
export async function revokeAllSessions(tx: Tx, userId: string): Promise<number> {
  await tx.deviceLink.deleteMany({ where: { userId } });
  const { count } = await tx.session.deleteMany({ where: { userId } });
  return count;
}

/**
 * Returns the new `updatedAt` for a change of `row`. It is always later than the current one, so
 * that an optimistic lock detects every change.
 */
export function nextUpdatedAt(row: { updatedAt: Date }): Date {
  return new Date(Math.max(nowMs(), row.updatedAt.getTime() + 1));
}

/**
 * Sets the member's role, revokes their sessions (a privilege change requires a new one) and
 * records an audit event. Throws AppError(forbidden) or AppError(unauthorized) unless `actor` is an
 * admin with a recent login, and AppError(not_found). Throws AppError(conflict) if the member
 * already has the role, has changed since `expectedVersion` (optimistic lock), or is the last
 * admin (which the command line may demote).
 */
export async function changeRole(
  tx: Tx,
  actor: Member | typeof COMMAND_LINE,
  { id, role, expectedVersion }: { id: string; role: Role; expectedVersion?: number },
): Promise<RoleChange> {
  if (actor !== COMMAND_LINE) {
    assertAdmin(actor);
    assertRecentLogin(actor);
  }
  const target = await tx.user.findUnique({
    where: { id },
    select: { role: true, updatedAt: true },
  });
  if (!target) throw new AppError("not_found", "This member no longer exists.");
  if (expectedVersion !== undefined && expectedVersion !== target.updatedAt.getTime())
    throw createEditConflictError();
  if (target.role === role)
    throw new AppError(
      "conflict",
      role === "ADMIN" ? "They are already an admin." : "They are not an admin.",
    );
  if (actor !== COMMAND_LINE && target.role === "ADMIN" && (await countAdmins(tx)) === 1)
    throw createLastAdminError();
  await tx.user.update({
    where: { id },
    data: { role, updatedAt: nextUpdatedAt(target) },
    select: { id: true },
  });
  const revokedSessionCount = await revokeAllSessions(tx, id);
  await recordAuditEvent(tx, {
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
    adminCount: await countAdmins(tx),
  };
}

/**
 * Runs changeRole() for an email address from the command line; case is ignored. Returns null if the
 * account already has the role. Throws AppError(not_found) if there is no account, and
 * AppError(conflict) if several accounts differ only in case.
 */
export async function changeRoleByEmail(
  tx: Tx,
  { email, role }: { email: string; role: Role },
): Promise<RoleChange | null> {
  const users = findUsersByEmail(tx, email);
  const [target] = users;
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
  const { role: currentRole } = await tx.user.findUniqueOrThrow({
    where: { id: target.id },
    select: { role: true },
  });
  return currentRole === role ? null : changeRole(tx, COMMAND_LINE, { id: target.id, role });
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
