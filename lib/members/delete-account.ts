// A member leaves: everything of theirs goes in one transaction.

import { recordAuditEvent } from "../db/audit.ts";
import { AppError } from "#lib/core/errors.ts";
import type { Sql } from "../db/connection.ts";
import { countAdmins, createLastAdminError } from "./roles.ts";

/** What a member types to say that they mean it; their first name does as well. */
export const DELETE_CONFIRMATION = "delete";

/** Whether `typed` says it: the word or the member's first name, whatever the case. */
export function isDeleteConfirmed(typed: string, firstName: string): boolean {
  const plain = (text: string) => text.normalize("NFC").trim().toLowerCase();
  return [DELETE_CONFIRMATION, plain(firstName)].includes(plain(typed));
}

/** Whether the site would have no admin without this one. */
export function isLastAdmin(sql: Sql, userId: string): boolean {
  const role = sql.get<{ role: string }>(`SELECT "role" FROM "User" WHERE "id" = ?`, userId)?.role;
  return role === "ADMIN" && countAdmins(sql) === 1;
}

/**
 * Deletes the member and all that is theirs: sessions, passkeys, calls with answers and episodes, uploads, reads, mail on its way
 * (by the schema's cascades, which the counters of reads follow by trigger), and log-ins asked for with their address.
 * What stays is that an account of this id left, or who deleted it: `by`. Returns the slugs of the posts they had read: standings may have changed, so
 * call recordOwnership with them in the same transaction. Throws AppError: conflict for the last admin, not_found when it is gone.
 */
export function deleteAccount(
  sql: Sql,
  userId: string,
  by: { actorId: string; action: string } = { actorId: userId, action: "user.left" },
): { slugs: string[] } {
  const user = sql.get<{ email: string }>(`SELECT "email" FROM "User" WHERE "id" = ?`, userId);
  if (!user) throw new AppError("not_found", "This account is gone already.");
  if (isLastAdmin(sql, userId)) throw createLastAdminError();
  const slugs = sql
    .all<{ slug: string }>(
      `SELECT DISTINCT "postSlug" AS "slug" FROM "PostRead" WHERE "userId" = ?`,
      userId,
    )
    .map(({ slug }) => slug);
  for (const table of ["LoginChallenge", "PendingSignup"])
    sql.run(`DELETE FROM "${table}" WHERE "email" = ? COLLATE NOCASE`, user.email);
  sql.run(`DELETE FROM "User" WHERE "id" = ?`, userId);
  recordAuditEvent(sql, { ...by, subjectId: userId });
  return { slugs };
}
