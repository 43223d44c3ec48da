import { expect, test } from "vitest";
import { nowMs } from "#lib/core/clock.ts";
import { listAuditEvents } from "#lib/db/audit.ts";
import { type Tx, write } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
import { countDeliveries, discardDelivery, retryPendingDelivery } from "./manage-deliveries.ts";
import { listDeliveries } from "./outbox.ts";

const notFound = expect.objectContaining({ code: "not_found" });

/** Inserts a delivery that was given up, and returns its id. */
function insertAbandonedDelivery(tx: Tx): number {
  sqlOf(tx).run(
    `INSERT INTO "Delivery" ("id", "createdAt", "kind", "about", "payload", "tries", "lastError") VALUES (1, 1, 'MAIL', 'An email', '{}', 8, 'No answer.')`,
  );
  return 1;
}

test("a retried delivery is due now, with an audit event", () =>
  write((tx) => {
    const id = insertAbandonedDelivery(tx);
    expect(countDeliveries(tx)).toEqual({ waiting: 1, failed: 1, givenUp: 1 });
    retryPendingDelivery(tx, "root", id);
    const [delivery] = listDeliveries(tx);
    expect(delivery).toMatchObject({ tries: 0 });
    expect(delivery!.nextTryAt!).toBeLessThanOrEqual(nowMs());
    expect(countDeliveries(tx)).toEqual({ waiting: 1, failed: 1, givenUp: 0 });
    expect(listAuditEvents(tx)).toMatchObject([
      { actorId: "root", action: "delivery.retry", subjectId: "1" },
    ]);
    expect(() => retryPendingDelivery(tx, "root", 2)).toThrow(notFound);
  }));

test("a discarded delivery is deleted once, with an audit event", () =>
  write((tx) => {
    const id = insertAbandonedDelivery(tx);
    discardDelivery(tx, "root", id);
    expect(listDeliveries(tx)).toEqual([]);
    expect(() => discardDelivery(tx, "root", id)).toThrow(notFound);
    expect(listAuditEvents(tx)).toMatchObject([
      { action: "delivery.give_up", subjectId: "1", detail: { kind: "MAIL", tries: 8 } },
    ]);
  }));
