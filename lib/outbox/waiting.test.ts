import { expect, test } from "vitest";
import { nowMs } from "../base/clock.ts";
import type { Member } from "../base/member.ts";
import { listAudit } from "../db/audit.ts";
import type { Sql } from "../db/connection.ts";
import { writeSql } from "../db/database.ts";
import { countDeliveries, giveDeliveryUp, tryDeliveryAgain, waitingDeliveries } from "./waiting.ts";

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
      () => waitingDeliveries(sql, member),
      () => countDeliveries(sql, member),
      () => tryDeliveryAgain(sql, member, id),
      () => giveDeliveryUp(sql, member, id),
    ]) {
      expect(attempt).toThrow(expect.objectContaining({ code: "forbidden" }));
    }
    expect(waitingDeliveries(sql, admin)).toMatchObject([{ id, tries: 8, nextTryAt: null }]);
    expect(listAudit(sql)).toEqual([]);
  }));

test("what was given up is due at once when an admin says so, and that is noted", () =>
  writeSql((sql) => {
    const id = givenUp(sql);
    expect(countDeliveries(sql, admin)).toEqual({ waiting: 1, failed: 1, givenUp: 1 });
    tryDeliveryAgain(sql, admin, id);
    const [delivery] = waitingDeliveries(sql, admin);
    expect(delivery).toMatchObject({ tries: 0 });
    expect(delivery!.nextTryAt!).toBeLessThanOrEqual(nowMs());
    expect(countDeliveries(sql, admin)).toEqual({ waiting: 1, failed: 1, givenUp: 0 });
    expect(listAudit(sql)).toMatchObject([
      { actorId: "root", action: "delivery.retry", subjectId: "1" },
    ]);
    expect(() => tryDeliveryAgain(sql, admin, 2)).toThrow(gone);
  }));

test("what an admin gives up goes for good, once", () =>
  writeSql((sql) => {
    const id = givenUp(sql);
    giveDeliveryUp(sql, admin, id);
    expect(waitingDeliveries(sql, admin)).toEqual([]);
    expect(() => giveDeliveryUp(sql, admin, id)).toThrow(gone);
    expect(listAudit(sql)).toMatchObject([
      { action: "delivery.give_up", subjectId: "1", detail: { kind: "MAIL", tries: 8 } },
    ]);
  }));
