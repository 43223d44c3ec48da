// Lists, edits and deletes members, for admins.

import { nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { type Member, assertAdmin, assertRecentLogin } from "#lib/members/member.ts";
import { recordAuditEvent } from "#lib/db/audit.ts";
import type { Team } from "#lib/db/column-values.ts";
import type { Prisma, Tx } from "#lib/db/database.ts";
import { listReadSlugs } from "#lib/reading/read-slugs.sql.ts";
import { deleteAccount, isLastAdmin } from "./delete-account.ts";
import { countAdmins, createEditConflictError, nextUpdatedAt, revokeAllSessions } from "./roles.ts";
import { searchUserIds } from "./search-users.sql.ts";

const LISTED_USER_SELECT = {
  id: true,
  firstName: true,
  email: true,
  team: true,
  role: true,
  createdAt: true,
  updatedAt: true,
} as const satisfies Prisma.UserSelect;

export const USERS_PER_PAGE = 50;

/**
 * Returns a page of members whose name or address contains `text` ("" for all), newest first;
 * `before` is the previous page's `next`. Scans until the page is full, which takes up to 40 ms
 * with 50,000 members. Throws AppError(forbidden) unless `admin` is an admin.
 */
export async function searchUsers(
  tx: Tx,
  admin: Member,
  { text, before = null }: { text: string; before?: number | null },
) {
  assertAdmin(admin);
  const matches = searchUserIds(tx, {
    text: text.normalize("NFC").trim().slice(0, 200),
    before,
    limit: USERS_PER_PAGE + 1,
  });
  const page = matches.slice(0, USERS_PER_PAGE);
  const ids = page.map(({ id }) => id);
  const rows = await tx.user.findMany({ where: { id: { in: ids } }, select: LISTED_USER_SELECT });
  const rowsById = new Map(rows.map((row) => [row.id, row]));
  // Prisma's `_count` of a relation would group its whole table.
  const where = { userId: { in: ids } };
  const readCounts = toCountsByUser(
    await tx.postRead.groupBy({ by: ["userId"], where, _count: true }),
  );
  const callCounts = toCountsByUser(await tx.call.groupBy({ by: ["userId"], where, _count: true }));
  return {
    users: ids.map((id) => ({
      ...rowsById.get(id)!,
      readCount: readCounts.get(id) ?? 0,
      callCount: callCounts.get(id) ?? 0,
    })),
    next: matches.length > USERS_PER_PAGE ? page.at(-1)!.cursor : null,
  };
}

function toCountsByUser(groups: { userId: string | null; _count: number }[]) {
  return new Map(groups.map(({ userId, _count }) => [userId, _count]));
}

/**
 * Returns a member with their newest 50 calls. `lastSeenAt` is null if never seen or unknown.
 * Throws AppError(forbidden) unless `admin` is an admin, and AppError(not_found).
 */
export async function getUser(tx: Tx, admin: Member, id: string) {
  assertAdmin(admin);
  const user = await tx.user.findUnique({ where: { id }, select: LISTED_USER_SELECT });
  if (!user) throw createUserNotFoundError();
  const activeSession = { userId: id, expirationDate: { gt: new Date(nowMs()) } };
  const lastSeen = await tx.sessionInfo.aggregate({
    where: { session: activeSession },
    _max: { lastSeenAt: true },
  });
  const reviews = await tx.callReview.findMany({
    where: { call: { userId: id } },
    select: { state: true, call: { select: { id: true, title: true, createdAt: true } } },
    orderBy: [{ call: { createdAt: "desc" } }, { callId: "asc" }],
    take: 50,
  });
  return {
    ...user,
    readCount: await tx.postRead.count({ where: { userId: id } }),
    callCount: await tx.call.count({ where: { userId: id } }),
    sessionCount: await tx.session.count({ where: activeSession }),
    lastSeenAt: lastSeen._max.lastSeenAt,
    passkeyCount: await tx.passkey.count({ where: { userId: id } }),
    isLastAdmin: await isLastAdmin(tx, id),
    callList: reviews.map(({ state, call }) => ({ ...call, state })),
  };
}

/**
 * Returns the number of members, and of admins among them. Throws AppError(forbidden) unless
 * `admin` is an admin.
 */
export async function countUsers(
  tx: Tx,
  admin: Member,
): Promise<{ members: number; admins: number }> {
  assertAdmin(admin);
  return { members: await tx.user.count(), admins: await countAdmins(tx) };
}

/**
 * Changes a member's name and team, and records an audit event without the names, because the log
 * outlives the member. Returns the changed fields and the posts whose standings may have changed:
 * pass these to recordLeadChanges() in the same transaction. Throws AppError(forbidden) unless
 * `admin` is an admin, AppError(not_found), and AppError(conflict) if the member has changed since
 * `expectedVersion` (optimistic lock).
 */
export async function editUser(
  tx: Tx,
  admin: Member,
  {
    id,
    firstName,
    team,
    expectedVersion,
  }: { id: string; firstName: string; team: Team; expectedVersion: number },
): Promise<{ changed: readonly string[]; slugs: readonly string[] }> {
  assertAdmin(admin);
  const before = await tx.user.findUnique({
    where: { id },
    select: { firstName: true, team: true, updatedAt: true },
  });
  if (!before) throw createUserNotFoundError();
  if (before.updatedAt.getTime() !== expectedVersion) throw createEditConflictError();
  const detail = {
    ...(before.firstName !== firstName && { name: "changed" }),
    ...(before.team !== team && { team: { from: before.team, to: team } }),
  };
  const changed = Object.keys(detail);
  if (changed.length === 0) return { changed, slugs: [] };
  await tx.user.update({
    where: { id },
    data: { firstName, team, updatedAt: nextUpdatedAt(before) },
    select: { id: true },
  });
  await recordAuditEvent(tx, { actorId: admin.id, action: "user.edit", subjectId: id, detail });
  return {
    changed,
    slugs: before.team === team ? [] : [...listReadSlugs(tx, { member: { id }, clientId: null })],
  };
}

/**
 * Revokes all sessions of a member, records an audit event, and returns the number of sessions.
 * Throws AppError(forbidden) or AppError(unauthorized) unless `admin` is an admin with a recent
 * login, and AppError(not_found).
 */
export async function revokeUserSessions(tx: Tx, admin: Member, id: string): Promise<number> {
  assertAdmin(admin);
  assertRecentLogin(admin);
  if (!(await tx.user.findUnique({ where: { id }, select: { id: true } })))
    throw createUserNotFoundError();
  const ended = await revokeAllSessions(tx, id);
  await recordAuditEvent(tx, {
    actorId: admin.id,
    action: "user.sessions",
    subjectId: id,
    detail: { ended },
  });
  return ended;
}

/**
 * Deletes a member like deleteAccount() and returns its result. `typed` must be the member's
 * address; case is ignored. Throws AppError(forbidden) or AppError(unauthorized) unless `admin` is
 * an admin with a recent login, AppError(not_found), AppError(invalid) for a wrong `typed`, and
 * AppError(conflict) for the last admin.
 */
export async function deleteUser(
  tx: Tx,
  admin: Member,
  { id, typed }: { id: string; typed: string },
): Promise<{ slugs: readonly string[] }> {
  assertAdmin(admin);
  assertRecentLogin(admin);
  const user = await tx.user.findUnique({ where: { id }, select: { email: true } });
  if (!user) throw createUserNotFoundError();
  if (typed.trim().toLowerCase() !== user.email.toLowerCase())
    throw new AppError("invalid", "This is not the member's email address. Nothing was deleted.", {
      field: "typed",
    });
  return deleteAccount(tx, id, { actorId: admin.id, action: "user.delete" });
}

function createUserNotFoundError(): AppError {
  return new AppError("not_found", "This member no longer exists.");
}
