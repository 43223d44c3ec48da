// Lists, edits and deletes members, for admins.

import { nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { type Member, assertAdmin, assertRecentLogin } from "#lib/members/member.ts";
import { recordAuditEvent } from "#lib/db/audit.ts";
import type { Tx } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
import { escapeLikePattern } from "#lib/db/escape-like-pattern.ts";
import { listReadSlugs } from "#lib/reading/read-totals.ts";
import { deleteAccount, isLastAdmin } from "./delete-account.ts";
import { type Role, createEditConflictError, countAdmins, revokeAllSessions } from "./roles.ts";

export interface ListedUser {
  readonly id: string;
  readonly firstName: string;
  readonly email: string;
  readonly team: string;
  readonly role: Role;
  /** Milliseconds since the Unix epoch. */
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly readCount: number;
  readonly callCount: number;
}

const USER_COLUMNS_SQL = `u."id", u."firstName", u."email", u."team", u."role", u."createdAt", u."updatedAt",
  (SELECT COUNT(*) FROM "PostRead" WHERE "userId" = u."id") AS "readCount",
  (SELECT COUNT(*) FROM "Call" WHERE "userId" = u."id") AS "callCount"`;

export const USERS_PER_PAGE = 50;

/**
 * Returns a page of members whose name or address contains `text` ("" for all), newest first;
 * `before` is the previous page's `next`. Scans in rowid order until the page is full, which takes
 * up to 30 ms with 50,000 members. Throws AppError(forbidden) unless `admin` is an admin.
 */
export function searchUsers(
  tx: Tx,
  admin: Member,
  { text, before = null }: { text: string; before?: number | null },
): { users: ListedUser[]; next: number | null } {
  assertAdmin(admin);
  const query = text.normalize("NFC").trim().slice(0, 200);
  // LIKE ignores case for ASCII only, so match other letters in both cases.
  const lower = escapeLikePattern(query.toLowerCase());
  const rows = sqlOf(tx).all<ListedUser & { cursor: number }>(
    `SELECT u.rowid AS "cursor", ${USER_COLUMNS_SQL} FROM "User" u
     WHERE u.rowid < ? ${query ? `AND (u."firstName" LIKE ? ESCAPE '\\' OR u."firstName" LIKE ? ESCAPE '\\' OR u."email" LIKE ? ESCAPE '\\')` : ""}
     ORDER BY u.rowid DESC LIMIT ${USERS_PER_PAGE + 1}`,
    before ?? Number.MAX_SAFE_INTEGER,
    ...(query ? [lower, escapeLikePattern(query.toUpperCase()), lower] : []),
  );
  const users = rows.slice(0, USERS_PER_PAGE).map(({ cursor: _, ...user }) => user);
  return { users, next: rows.length > USERS_PER_PAGE ? rows[USERS_PER_PAGE - 1]!.cursor : null };
}

export interface UserDetails extends ListedUser {
  readonly sessionCount: number;
  /** null if never seen or unknown. */
  readonly lastSeenAt: number | null;
  readonly passkeyCount: number;
  readonly isLastAdmin: boolean;
  /** Newest first, at most 50. */
  readonly callList: readonly {
    readonly id: string;
    readonly title: string;
    readonly state: string;
    readonly createdAt: number;
  }[];
}

/**
 * Returns a member with their calls. Throws AppError(forbidden) unless `admin` is an admin, and
 * AppError(not_found).
 */
export function getUser(tx: Tx, admin: Member, id: string): UserDetails {
  assertAdmin(admin);
  const user = sqlOf(tx).get<Omit<UserDetails, "isLastAdmin" | "callList">>(
    `SELECT ${USER_COLUMNS_SQL}, COUNT(s."id") AS "sessionCount", MAX(i."lastSeenAt") AS "lastSeenAt", (SELECT COUNT(*) FROM "Passkey" WHERE "userId" = u."id") AS "passkeyCount"
     FROM "User" u LEFT JOIN "Session" s ON s."userId" = u."id" AND s."expirationDate" > ? LEFT JOIN "SessionInfo" i ON i."sessionId" = s."id"
     WHERE u."id" = ? GROUP BY u."id"`,
    nowMs(),
    id,
  );
  if (!user) throw createUserNotFoundError();
  const callList = sqlOf(tx).all<UserDetails["callList"][number]>(
    `SELECT c."id", c."title", r."state", c."createdAt" FROM "Call" c JOIN "CallReview" r ON r."callId" = c."id" WHERE c."userId" = ? ORDER BY c."createdAt" DESC, c."id" LIMIT 50`,
    id,
  );
  return { ...user, isLastAdmin: isLastAdmin(tx, id), callList };
}

/**
 * Returns the number of members, and of admins among them. Throws AppError(forbidden) unless
 * `admin` is an admin.
 */
export function countUsers(tx: Tx, admin: Member): { members: number; admins: number } {
  assertAdmin(admin);
  return {
    members: sqlOf(tx).get<{ n: number }>(`SELECT COUNT(*) AS "n" FROM "User"`)?.n ?? 0,
    admins: countAdmins(tx),
  };
}

/**
 * Changes a member's name and team, and records an audit event without the names, because the log
 * outlives the member. Returns the changed fields and the posts whose standings may have changed:
 * pass these to recordLeadChanges() in the same transaction. Throws AppError(forbidden) unless
 * `admin` is an admin, AppError(not_found), and AppError(conflict) if the member has changed since
 * `expectedUpdatedAt` (optimistic lock).
 */
export async function editUser(
  tx: Tx,
  admin: Member,
  {
    id,
    firstName,
    team,
    expectedUpdatedAt,
  }: { id: string; firstName: string; team: string; expectedUpdatedAt: number },
): Promise<{ changed: readonly string[]; slugs: readonly string[] }> {
  assertAdmin(admin);
  const before = sqlOf(tx).get<{ firstName: string; team: string; updatedAt: number }>(
    `SELECT "firstName", "team", "updatedAt" FROM "User" WHERE "id" = ?`,
    id,
  );
  if (!before) throw createUserNotFoundError();
  if (before.updatedAt !== expectedUpdatedAt) throw createEditConflictError();
  const detail = {
    ...(before.firstName !== firstName && { name: "changed" }),
    ...(before.team !== team && { team: { from: before.team, to: team } }),
  };
  const changed = Object.keys(detail);
  if (changed.length === 0) return { changed, slugs: [] };
  sqlOf(tx).run(
    `UPDATE "User" SET "firstName" = ?, "team" = ?, "updatedAt" = MAX(?, "updatedAt" + 1) WHERE "id" = ?`,
    firstName,
    team,
    nowMs(),
    id,
  );
  recordAuditEvent(tx, { actorId: admin.id, action: "user.edit", subjectId: id, detail });
  return {
    changed,
    slugs:
      before.team === team
        ? []
        : [...(await listReadSlugs(tx, { member: { id }, clientId: null }))],
  };
}

/**
 * Revokes all sessions of a member, records an audit event, and returns the number of sessions.
 * Throws AppError(forbidden) or AppError(unauthorized) unless `admin` is an admin with a recent
 * login, and AppError(not_found).
 */
export function revokeUserSessions(tx: Tx, admin: Member, id: string): number {
  assertAdmin(admin);
  assertRecentLogin(admin);
  if (!sqlOf(tx).get(`SELECT 1 FROM "User" WHERE "id" = ?`, id)) throw createUserNotFoundError();
  const ended = revokeAllSessions(tx, id);
  recordAuditEvent(tx, {
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
  const user = sqlOf(tx).get<{ email: string }>(`SELECT "email" FROM "User" WHERE "id" = ?`, id);
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
