// Deletes a member and all their data in one transaction.

import { AppError } from "#lib/core/errors.ts";
import { recordAuditEvent } from "#lib/db/audit.ts";
import type { Tx } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
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
export function isLastAdmin(tx: Tx, userId: string): boolean {
  const role = sqlOf(tx).get<{ role: string }>(
    `SELECT "role" FROM "User" WHERE "id" = ?`,
    userId,
  )?.role;
  return role === "ADMIN" && countAdmins(tx) === 1;
}

/**
 * Deletes the member, which cascades to all their data. Returns the slugs they had read: pass these
 * to recordLeadChanges() in the same transaction. Throws AppError(conflict) for the last admin, and
 * AppError(not_found).
 */
export async function deleteAccount(
  tx: Tx,
  userId: string,
  by: { actorId: string; action: string } = { actorId: userId, action: "user.left" },
): Promise<{ slugs: string[] }> {
  const user = sqlOf(tx).get<{ email: string }>(
    `SELECT "email" FROM "User" WHERE "id" = ?`,
    userId,
  );
  if (!user) throw new AppError("not_found", "This account has been deleted.");
  if (isLastAdmin(tx, userId)) throw createLastAdminError();
  const slugs = [...(await listReadSlugs(tx, { member: { id: userId }, clientId: null }))];
  for (const table of ["LoginChallenge", "PendingSignup"])
    sqlOf(tx).run(`DELETE FROM "${table}" WHERE "email" = ? COLLATE NOCASE`, user.email);
  sqlOf(tx).run(`DELETE FROM "User" WHERE "id" = ?`, userId);
  recordAuditEvent(tx, { ...by, subjectId: userId });
  return { slugs };
}
