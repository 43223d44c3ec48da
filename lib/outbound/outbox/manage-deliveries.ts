// Lets admins count, retry and discard pending deliveries, with audit events. Callers check the
// role.

import { nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { recordAuditEvent } from "#lib/db/audit.ts";
import type { Tx } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";

/**
 * Returns the number of pending deliveries, of those that failed at least once, and of those given
 * up.
 */
export function countDeliveries(tx: Tx): { waiting: number; failed: number; givenUp: number } {
  return sqlOf(tx).get(
    `SELECT COUNT(*) AS "waiting", COUNT("lastError") AS "failed", COUNT(*) FILTER (WHERE "nextTryAt" IS NULL) AS "givenUp" FROM "Delivery"`,
  ) as { waiting: number; failed: number; givenUp: number };
}

/**
 * Makes a delivery due now; call triggerDeliveries() after the commit. Throws AppError(not_found)
 * if it was sent or discarded.
 */
export function retryPendingDelivery(tx: Tx, actorId: string, id: number): void {
  const { changes } = sqlOf(tx).run(
    `UPDATE "Delivery" SET "nextTryAt" = ?, "tries" = 0 WHERE "id" = ?`,
    nowMs(),
    id,
  );
  if (changes === 0) throw deliveryNotFound();
  recordAuditEvent(tx, { actorId, action: "delivery.retry", subjectId: String(id) });
}

/** Deletes a delivery. Throws AppError(not_found) if it was sent or discarded. */
export function discardDelivery(tx: Tx, actorId: string, id: number): void {
  const detail = sqlOf(tx).get<{ kind: string; tries: number }>(
    `DELETE FROM "Delivery" WHERE "id" = ? RETURNING "kind", "tries"`,
    id,
  );
  if (!detail) throw deliveryNotFound();
  recordAuditEvent(tx, { actorId, action: "delivery.give_up", subjectId: String(id), detail });
}

const deliveryNotFound = () =>
  new AppError("not_found", "This delivery was already sent or discarded.");
