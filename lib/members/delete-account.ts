// Deletes a member and all their data in one transaction.

import { AppError } from "#lib/core/errors.ts";
import { recordAuditEvent } from "#lib/db/audit.ts";
import type { Tx } from "#lib/db/database.ts";
import { listReadSlugs } from "#lib/reading/read-slugs.sql.ts";
import { deleteChallengesByEmail, deleteDeliveriesByEmail } from "./email.sql.ts";
import { countAdmins, createLastAdminError } from "./roles.ts";
import { deleteSourceRows } from "./source-rows.sql.ts";
import { unsubscribe } from "./subscribers.ts";

/** The word that confirms the deletion. The member's first name works too. */
export const DELETE_CONFIRMATION = "delete";

/** Returns true if `typed` is DELETE_CONFIRMATION or the first name; case is ignored. */
export function isDeleteConfirmed(typed: string, firstName: string): boolean {
  const normalize = (text: string) => text.normalize("NFC").trim().toLowerCase();
  return [DELETE_CONFIRMATION, normalize(firstName)].includes(normalize(typed));
}

/** Returns true if the member is the only admin. */
export async function isLastAdmin(tx: Tx, userId: string): Promise<boolean> {
  const user = await tx.user.findUnique({ where: { id: userId }, select: { role: true } });
  return user?.role === "ADMIN" && (await countAdmins(tx)) === 1;
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
  const user = await tx.user.findUnique({ where: { id: userId }, select: { email: true } });
  if (!user) throw new AppError("not_found", "This account has been deleted.");
  if (await isLastAdmin(tx, userId)) throw createLastAdminError();
  const slugs = [...listReadSlugs(tx, { member: { id: userId }, clientId: null })];
  deleteChallengesByEmail(tx, user.email);
  deleteDeliveriesByEmail(tx, user.email);
  deleteSourceRows(tx, { id: userId, email: user.email });
  await unsubscribe(tx, user.email);
  await tx.user.deleteMany({ where: { id: userId } });
  await recordAuditEvent(tx, { ...by, subjectId: userId });
  return { slugs };
}
