// What waits in the outbox, for admins: seen, tried again, given up. What they decide is noted.

import { AppError } from "#lib/core/errors.ts";
import { type Member, assertAdmin } from "#lib/core/member.ts";
import { recordAuditEvent } from "#lib/db/audit.ts";
import type { Sql } from "#lib/db/connection.ts";
import {
  type PendingDelivery,
  deleteDelivery,
  listDeliveries,
  rescheduleDelivery,
} from "./outbox.ts";

/** What was not delivered yet, newest first, at most `limit`. Throws AppError(forbidden) for all but admins. */
export function listPendingDeliveries(sql: Sql, admin: Member, limit = 100): PendingDelivery[] {
  assertAdmin(admin);
  return listDeliveries(sql, limit);
}

/** How many deliveries wait, failed at least once, and were given up. Throws AppError(forbidden) for all but admins. */
export function countDeliveries(
  sql: Sql,
  admin: Member,
): { waiting: number; failed: number; givenUp: number } {
  assertAdmin(admin);
  return sql.get(
    `SELECT COUNT(*) AS "waiting", COUNT("lastError") AS "failed", COUNT(*) FILTER (WHERE "nextTryAt" IS NULL) AS "givenUp" FROM "Delivery"`,
  ) as { waiting: number; failed: number; givenUp: number };
}

/** Has it tried again at once: call kickDeliveries() after the commit. Throws AppError: forbidden for all but admins, not_found when it is delivered or gone. */
export function retryPendingDelivery(sql: Sql, admin: Member, id: number): void {
  assertAdmin(admin);
  if (!rescheduleDelivery(sql, id)) throw deliveryNotFound();
  recordAuditEvent(sql, { actorId: admin.id, action: "delivery.retry", subjectId: String(id) });
}

/** Gives it up for good. Throws AppError: forbidden for all but admins, not_found when it is delivered or gone. */
export function discardDelivery(sql: Sql, admin: Member, id: number): void {
  assertAdmin(admin);
  const about = sql.get<{ kind: string; tries: number }>(
    `SELECT "kind", "tries" FROM "Delivery" WHERE "id" = ?`,
    id,
  );
  if (!about || !deleteDelivery(sql, id)) throw deliveryNotFound();
  recordAuditEvent(sql, {
    actorId: admin.id,
    action: "delivery.give_up",
    subjectId: String(id),
    detail: about,
  });
}

function deliveryNotFound(): AppError {
  return new AppError("not_found", "This is delivered, or gone.");
}
