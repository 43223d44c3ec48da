// Lets admins count, retry and discard pending deliveries, with audit events. Callers check the
// role.

import { nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { recordAuditEvent } from "#lib/db/audit.ts";
import type { Tx } from "#lib/db/database.ts";

/**
 * Returns the number of pending deliveries, of those that failed at least once, and of those given
 * up.
 */
export async function countDeliveries(
  tx: Tx,
): Promise<{ waiting: number; failed: number; givenUp: number }> {
  const { _count: count } = await tx.delivery.aggregate({
    _count: { _all: true, lastError: true, nextTryAt: true },
  });
  return { waiting: count._all, failed: count.lastError, givenUp: count._all - count.nextTryAt };
}

/**
 * Makes a delivery due now; call triggerDeliveries() after the commit. Throws AppError(not_found)
 * if it was sent or discarded.
 */
export async function retryPendingDelivery(tx: Tx, actorId: string, id: number): Promise<void> {
  const { count } = await tx.delivery.updateMany({
    where: { id },
    data: { nextTryAt: new Date(nowMs()), tries: 0 },
  });
  if (count === 0) throw deliveryNotFound();
  await recordAuditEvent(tx, { actorId, action: "delivery.retry", subjectId: String(id) });
}

/** Deletes a delivery. Throws AppError(not_found) if it was sent or discarded. */
export async function discardDelivery(tx: Tx, actorId: string, id: number): Promise<void> {
  const detail = await tx.delivery.findUnique({
    where: { id },
    select: { kind: true, tries: true },
  });
  if (!detail) throw deliveryNotFound();
  await tx.delivery.deleteMany({ where: { id } });
  await recordAuditEvent(tx, {
    actorId,
    action: "delivery.give_up",
    subjectId: String(id),
    detail,
  });
}

const deliveryNotFound = () =>
  new AppError("not_found", "This delivery was already sent or discarded.");
