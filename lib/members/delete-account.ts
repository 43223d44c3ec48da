// Deletes a member and all their data in one transaction.

import { AppError } from "#lib/core/errors.ts";
import { recordAuditEvent } from "#lib/db/audit.ts";
import type { Sql } from "#lib/db/connection.ts";
import { listReadSlugs } from "#lib/reading/read-totals.ts";
import { countAdmins, createLastAdminError } from "./roles.ts";

/** The word that confirms the deletion. The member's first name works too. */
export const DELETE_CONFIRMATION = "delete";

/** Returns true if `typed` is DELETE_CONFIRMATION or the first name; case is ignored. */
export function isDeleteConfirmed(typed: string, firstName: string): boolean {
  const normalize = (text: string) => text.normalize("NFC").trim().toLowerCase();
  return [DELETE_CONFIRMATION, normalize(firstName)].includes(normalize(typed));
}

/** Returns true if the member is the only admin. */
export function isLastAdmin(sql: Sql, userId: string): boolean {
  const role = sql.get<{ role: string }>(`SELECT "role" FROM "User" WHERE "id" = ?`, userId)?.role;
  return role === "ADMIN" && countAdmins(sql) === 1;
}

/**
 * Deletes the member, which cascades to all their data. Returns the slugs they had read: pass these
 * to recordLeadChanges() in the same transaction. Throws AppError(conflict) for the last admin, and
 * AppError(not_found).
 */
export function deleteAccount(
  sql: Sql,
  userId: string,
  by: { actorId: string; action: string } = { actorId: userId, action: "user.left" },
): { slugs: string[] } {
  const user = sql.get<{ email: string }>(`SELECT "email" FROM "User" WHERE "id" = ?`, userId);
  if (!user) throw new AppError("not_found", "This account has been deleted.");
  if (isLastAdmin(sql, userId)) throw createLastAdminError();
  const slugs = [...listReadSlugs(sql, { member: { id: userId }, clientId: null })];
  for (const table of ["LoginChallenge", "PendingSignup"])
    sql.run(`DELETE FROM "${table}" WHERE "email" = ? COLLATE NOCASE`, user.email);
  sql.run(`DELETE FROM "User" WHERE "id" = ?`, userId);
  recordAuditEvent(sql, { ...by, subjectId: userId });
  return { slugs };
}
