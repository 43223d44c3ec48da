import { expect, test } from "vitest";
import { nowMs } from "#lib/core/clock.ts";
import type { Member } from "#lib/core/member.ts";
import { listAuditEvents } from "#lib/db/audit.ts";
import type { Sql } from "#lib/db/connection.ts";
import { writeSql } from "#lib/db/database.ts";
import {
  countDeliveries,
  discardDelivery,
  retryPendingDelivery,
  listPendingDeliveries,
} from "./manage-deliveries.ts";

const admin: Member = {
  id: "root",
  firstName: "Root",
  team: "RED",
  role: "ADMIN",
  sessionKey: "s",
  loggedInAtMs: 0,
};
const member: Member = { ...admin, id: "ada", role: "MEMBER" };
const gone = expect.objectContaining({ code: "not_found" });

/** One that was given up, with id 1. */
function givenUp(sql: Sql): number {
  sql.run(
    `INSERT INTO "Delivery" ("id", "createdAt", "kind", "about", "payload", "tries", "lastError") VALUES (1, 1, 'MAIL', 'A mail', '{}', 8, 'No answer.')`,
  );
  return 1;
}

test("a member sees and decides nothing of the outbox", () =>
  writeSql((sql) => {
    const id = givenUp(sql);
    for (const attempt of [
      () => listPendingDeliveries(sql, member),
      () => countDeliveries(sql, member),
      () => retryPendingDelivery(sql, member, id),
      () => discardDelivery(sql, member, id),
    ]) {
      expect(attempt).toThrow(expect.objectContaining({ code: "forbidden" }));
    }
    expect(listPendingDeliveries(sql, admin)).toMatchObject([{ id, tries: 8, nextTryAt: null }]);
    expect(listAuditEvents(sql)).toEqual([]);
  }));

test("what was given up is due at once when an admin says so, and that is noted", () =>
  writeSql((sql) => {
    const id = givenUp(sql);
    expect(countDeliveries(sql, admin)).toEqual({ waiting: 1, failed: 1, givenUp: 1 });
    retryPendingDelivery(sql, admin, id);
    const [delivery] = listPendingDeliveries(sql, admin);
    expect(delivery).toMatchObject({ tries: 0 });
    expect(delivery!.nextTryAt!).toBeLessThanOrEqual(nowMs());
    expect(countDeliveries(sql, admin)).toEqual({ waiting: 1, failed: 1, givenUp: 0 });
    expect(listAuditEvents(sql)).toMatchObject([
      { actorId: "root", action: "delivery.retry", subjectId: "1" },
    ]);
    expect(() => retryPendingDelivery(sql, admin, 2)).toThrow(gone);
  }));

test("what an admin gives up goes for good, once", () =>
  writeSql((sql) => {
    const id = givenUp(sql);
    discardDelivery(sql, admin, id);
    expect(listPendingDeliveries(sql, admin)).toEqual([]);
    expect(() => discardDelivery(sql, admin, id)).toThrow(gone);
    expect(listAuditEvents(sql)).toMatchObject([
      { action: "delivery.give_up", subjectId: "1", detail: { kind: "MAIL", tries: 8 } },
    ]);
  }));
