import { expect, test } from "vitest";
import { nowMs } from "#lib/core/clock.ts";
import { listAuditEvents } from "#lib/db/audit.ts";
import type { Sql } from "#lib/db/connection.ts";
import { writeSql } from "#lib/db/database.ts";
import { countDeliveries, discardDelivery, retryPendingDelivery } from "./manage-deliveries.ts";
import { listDeliveries } from "./outbox.ts";

const notFound = expect.objectContaining({ code: "not_found" });

/** Inserts a delivery that was given up, and returns its ID. */
function insertAbandonedDelivery(sql: Sql): number {
  sql.run(
    `INSERT INTO "Delivery" ("id", "createdAt", "kind", "about", "payload", "tries", "lastError") VALUES (1, 1, 'MAIL', 'An email', '{}', 8, 'No answer.')`,
  );
  return 1;
}

test("a retried delivery is due now, with an audit event", () =>
  writeSql((sql) => {
    const id = insertAbandonedDelivery(sql);
    expect(countDeliveries(sql)).toEqual({ waiting: 1, failed: 1, givenUp: 1 });
    retryPendingDelivery(sql, "root", id);
    const [delivery] = listDeliveries(sql);
    expect(delivery).toMatchObject({ tries: 0 });
    expect(delivery!.nextTryAt!).toBeLessThanOrEqual(nowMs());
    expect(countDeliveries(sql)).toEqual({ waiting: 1, failed: 1, givenUp: 0 });
    expect(listAuditEvents(sql)).toMatchObject([
      { actorId: "root", action: "delivery.retry", subjectId: "1" },
    ]);
    expect(() => retryPendingDelivery(sql, "root", 2)).toThrow(notFound);
  }));

test("a discarded delivery is deleted once, with an audit event", () =>
  writeSql((sql) => {
    const id = insertAbandonedDelivery(sql);
    discardDelivery(sql, "root", id);
    expect(listDeliveries(sql)).toEqual([]);
    expect(() => discardDelivery(sql, "root", id)).toThrow(notFound);
    expect(listAuditEvents(sql)).toMatchObject([
      { action: "delivery.give_up", subjectId: "1", detail: { kind: "MAIL", tries: 8 } },
    ]);
  }));
