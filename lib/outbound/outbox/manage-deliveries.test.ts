import { expect, test } from "vitest";
import { nowMs } from "#lib/core/clock.ts";
import { listAuditEvents } from "#lib/db/audit.ts";
import { type Tx, write } from "#lib/db/database.ts";
import { countDeliveries, discardDelivery, retryPendingDelivery } from "./manage-deliveries.ts";
import { listDeliveries } from "./outbox.ts";

const notFound = expect.objectContaining({ code: "not_found" });

/** Inserts a delivery that has used up its retries, and returns its ID. */
async function insertAbandonedDelivery(tx: Tx): Promise<number> {
  const { id } = await tx.delivery.create({
    data: {
      id: 1,
      createdAt: new Date(1),
      kind: "MAIL",
      about: "An email",
      payload: "{}",
      tries: 8,
      lastError: "No answer.",
    },
  });
  return id;
}

test("a retried delivery is due now, with an audit event", () =>
  write(async (tx) => {
    const id = await insertAbandonedDelivery(tx);
    expect(await countDeliveries(tx)).toEqual({ waiting: 1, failed: 1, givenUp: 1 });
    await retryPendingDelivery(tx, "root", id);
    const [delivery] = await listDeliveries(tx);
    expect(delivery).toMatchObject({ tries: 0 });
    expect(delivery!.nextTryAt!.getTime()).toBeLessThanOrEqual(nowMs());
    expect(await countDeliveries(tx)).toEqual({ waiting: 1, failed: 1, givenUp: 0 });
    expect(await listAuditEvents(tx)).toMatchObject([
      { actorId: "root", action: "delivery.retry", subjectId: "1" },
    ]);
    await expect(retryPendingDelivery(tx, "root", 2)).rejects.toThrow(notFound);
  }));

test("a discarded delivery is deleted once, with an audit event", () =>
  write(async (tx) => {
    const id = await insertAbandonedDelivery(tx);
    await discardDelivery(tx, "root", id);
    expect(await listDeliveries(tx)).toEqual([]);
    await expect(discardDelivery(tx, "root", id)).rejects.toThrow(notFound);
    expect(await listAuditEvents(tx)).toMatchObject([
      { action: "delivery.give_up", subjectId: "1", detail: { kind: "MAIL", tries: 8 } },
    ]);
  }));
