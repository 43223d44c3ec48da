// Members as admins see, change and delete them.

import { nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { type Member, assertAdmin, assertRecentLogin } from "#lib/core/member.ts";
import { recordAuditEvent } from "../db/audit.ts";
import type { Sql } from "../db/connection.ts";
import { escapeLikePattern } from "#lib/db/escape-like-pattern.ts";
import { deleteAccount, isLastAdmin } from "./delete-account.ts";
import { type Role, createEditConflictError, countAdmins, revokeAllSessions } from "./roles.ts";

export interface ListedUser {
  readonly id: string;
  readonly firstName: string;
  readonly email: string;
  readonly team: string;
  readonly role: Role;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly reads: number;
  readonly calls: number;
}

const USER_COLUMNS_SQL = `u."id", u."firstName", u."email", u."team", u."role", u."createdAt", u."updatedAt",
  (SELECT COUNT(*) FROM "PostRead" WHERE "userId" = u."id") AS "reads",
  (SELECT COUNT(*) FROM "Call" WHERE "userId" = u."id") AS "calls"`;

/** Members on a page of the list. */
export const USERS_PER_PAGE = 50;

/**
 * Members whose name or address contains `text` ("" for all), last to join first, fifty at a time; `before` is the cursor that the page
 * before it gave. LIKE knows only the capitals of ASCII, so a name is looked for in both. Walks the table in its own
 * order and stops when the page is full: with 50,000 members at most some 30 ms. Throws AppError(forbidden) for all but admins.
 */
export function searchUsers(
  sql: Sql,
  admin: Member,
  { text, before = null }: { text: string; before?: number | null },
): { users: ListedUser[]; next: number | null } {
  assertAdmin(admin);
  const sought = text.normalize("NFC").trim().slice(0, 200);
  const lower = escapeLikePattern(sought.toLowerCase());
  const rows = sql.all<ListedUser & { cursor: number }>(
    `SELECT u.rowid AS "cursor", ${USER_COLUMNS_SQL} FROM "User" u
     WHERE u.rowid < ? ${sought ? `AND (u."firstName" LIKE ? ESCAPE '\\' OR u."firstName" LIKE ? ESCAPE '\\' OR u."email" LIKE ? ESCAPE '\\')` : ""}
     ORDER BY u.rowid DESC LIMIT ${USERS_PER_PAGE + 1}`,
    before ?? Number.MAX_SAFE_INTEGER,
    ...(sought ? [lower, escapeLikePattern(sought.toUpperCase()), lower] : []),
  );
  const users = rows.slice(0, USERS_PER_PAGE).map(({ cursor: _, ...user }) => user);
  return { users, next: rows.length > USERS_PER_PAGE ? rows[USERS_PER_PAGE - 1]!.cursor : null };
}

export interface UserDetails extends ListedUser {
  readonly sessions: number;
  /** null: never, or not known. */
  readonly lastSeenAt: number | null;
  readonly passkeys: number;
  readonly isLastAdmin: boolean;
  /** Newest first, at most fifty. */
  readonly callList: readonly {
    readonly id: string;
    readonly title: string;
    readonly state: string;
    readonly createdAt: number;
  }[];
}

/** One member with what belongs to them. Throws AppError: forbidden for all but admins, not_found. */
export function getUser(sql: Sql, admin: Member, id: string): UserDetails {
  assertAdmin(admin);
  const user = sql.get<Omit<UserDetails, "isLastAdmin" | "callList">>(
    `SELECT ${USER_COLUMNS_SQL}, COUNT(s."id") AS "sessions", MAX(i."lastSeenAt") AS "lastSeenAt", (SELECT COUNT(*) FROM "Passkey" WHERE "userId" = u."id") AS "passkeys"
     FROM "User" u LEFT JOIN "Session" s ON s."userId" = u."id" AND s."expirationDate" > ? LEFT JOIN "SessionInfo" i ON i."sessionId" = s."id"
     WHERE u."id" = ? GROUP BY u."id"`,
    nowMs(),
    id,
  );
  if (!user) throw createUserNotFoundError();
  const callList = sql.all<UserDetails["callList"][number]>(
    `SELECT c."id", c."title", r."state", c."createdAt" FROM "Call" c JOIN "CallReview" r ON r."callId" = c."id" WHERE c."userId" = ? ORDER BY c."createdAt" DESC, c."id" LIMIT 50`,
    id,
  );
  return { ...user, isLastAdmin: isLastAdmin(sql, id), callList };
}

/** How many members there are, and admins among them. Throws AppError(forbidden) for all but admins. */
export function countUsers(sql: Sql, admin: Member): { members: number; admins: number } {
  assertAdmin(admin);
  return {
    members: sql.get<{ n: number }>(`SELECT COUNT(*) AS "n" FROM "User"`)?.n ?? 0,
    admins: countAdmins(sql),
  };
}

const listSlugsRead = (sql: Sql, id: string) =>
  sql
    .all<{ slug: string }>(
      `SELECT DISTINCT "postSlug" AS "slug" FROM "PostRead" WHERE "userId" = ?`,
      id,
    )
    .map(({ slug }) => slug);

/**
 * Changes name and team, and notes it: the teams as they were and are, of the name only that it changed, for the log outlives the member.
 * Returns the posts whose standing may have moved with the team: see recordOwnership in the room of the teams.
 * Throws AppError: forbidden for all but admins, not_found, conflict when the member changed since `seenUpdatedAt`.
 */
export function editUser(
  sql: Sql,
  admin: Member,
  {
    id,
    firstName,
    team,
    seenUpdatedAt,
  }: { id: string; firstName: string; team: string; seenUpdatedAt: number },
): { changed: readonly string[]; slugs: readonly string[] } {
  assertAdmin(admin);
  const old = sql.get<{ firstName: string; team: string; updatedAt: number }>(
    `SELECT "firstName", "team", "updatedAt" FROM "User" WHERE "id" = ?`,
    id,
  );
  if (!old) throw createUserNotFoundError();
  if (old.updatedAt !== seenUpdatedAt) throw createEditConflictError();
  const detail = {
    ...(old.firstName !== firstName && { name: "changed" }),
    ...(old.team !== team && { team: { from: old.team, to: team } }),
  };
  const changed = Object.keys(detail);
  if (changed.length === 0) return { changed, slugs: [] };
  sql.run(
    `UPDATE "User" SET "firstName" = ?, "team" = ?, "updatedAt" = MAX(?, "updatedAt" + 1) WHERE "id" = ?`,
    firstName,
    team,
    nowMs(),
    id,
  );
  recordAuditEvent(sql, { actorId: admin.id, action: "user.edit", subjectId: id, detail });
  return { changed, slugs: old.team === team ? [] : listSlugsRead(sql, id) };
}

/** Logs the member out everywhere and notes it. Returns how many sessions ended. Throws AppError: forbidden and unauthorized for all but an admin who has just logged in, not_found. */
export function revokeUserSessions(sql: Sql, admin: Member, id: string): number {
  assertAdmin(admin);
  assertRecentLogin(admin);
  if (!sql.get(`SELECT 1 FROM "User" WHERE "id" = ?`, id)) throw createUserNotFoundError();
  const ended = revokeAllSessions(sql, id);
  recordAuditEvent(sql, {
    actorId: admin.id,
    action: "user.sessions",
    subjectId: id,
    detail: { ended },
  });
  return ended;
}

/**
 * Deletes the member with all that is theirs: see deleteAccount, also for what comes back. `typed` must be their address.
 * Throws AppError: forbidden and unauthorized for all but an admin who has just logged in, not_found, invalid (field "typed"), conflict for the last admin.
 */
export function deleteUser(
  sql: Sql,
  admin: Member,
  { id, typed }: { id: string; typed: string },
): { slugs: readonly string[] } {
  assertAdmin(admin);
  assertRecentLogin(admin);
  const user = sql.get<{ email: string }>(`SELECT "email" FROM "User" WHERE "id" = ?`, id);
  if (!user) throw createUserNotFoundError();
  if (typed.trim().toLowerCase() !== user.email.toLowerCase())
    throw new AppError("invalid", "This is not the address of this member. Nothing was deleted.", {
      field: "typed",
    });
  return deleteAccount(sql, id, { actorId: admin.id, action: "user.delete" });
}

function createUserNotFoundError(): AppError {
  return new AppError("not_found", "There is no such member any more.");
}
