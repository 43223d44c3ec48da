import { expect, test } from "vitest";
import { insertUser } from "#tests/support/factories.ts";
import type { Member } from "#lib/members/member.ts";
import { recordAuditEvent } from "#lib/db/audit.ts";
import type { Sql } from "#lib/db/connection.ts";
import { writeSql } from "#lib/db/database.ts";
import { EVENTS_PER_PAGE, listAuditLog } from "./audit-log.ts";

function someone(sql: Sql, role: string): Member {
  const { id, firstName, team } = insertUser(sql, { role, firstName: "Root" });
  return { id, firstName, team, role, sessionKey: "s", loggedInAtMs: 0 };
}

test("a member can't read the log, not even about themselves", () =>
  writeSql((sql) => {
    const member = someone(sql, "MEMBER");
    for (const subjectId of [null, member.id])
      expect(() => listAuditLog(sql, member, { subjectId })).toThrow(
        expect.objectContaining({ code: "forbidden" }),
      );
  }));

test("the log names actors and subjects that still exist", () =>
  writeSql((sql) => {
    const admin = someone(sql, "ADMIN");
    const { id } = insertUser(sql, { firstName: "Ada" });
    recordAuditEvent(sql, { actorId: null, action: "user.role", subjectId: id });
    recordAuditEvent(sql, {
      actorId: admin.id,
      action: "user.edit",
      subjectId: id,
      detail: { name: "changed" },
    });
    recordAuditEvent(sql, { actorId: "gone", action: "user.delete", subjectId: "also gone" });
    expect(listAuditLog(sql, admin).events).toMatchObject([
      { action: "user.delete", actorName: null, subjectName: null },
      { action: "user.edit", actorName: "Root", subjectName: "Ada", detail: { name: "changed" } },
      { action: "user.role", actorId: null, actorName: null, subjectName: "Ada" },
    ]);
    expect(listAuditLog(sql, admin, { subjectId: id }).events).toHaveLength(2);
  }));

test("pages list every event once", () =>
  writeSql((sql) => {
    const admin = someone(sql, "ADMIN");
    for (let i = 0; i <= EVENTS_PER_PAGE; i++)
      recordAuditEvent(sql, { actorId: null, action: "x", subjectId: String(i) });
    const first = listAuditLog(sql, admin);
    const second = listAuditLog(sql, admin, { before: first.next });
    expect([
      first.events.length,
      second.events.map(({ subjectId }) => subjectId),
      second.next,
    ]).toEqual([EVENTS_PER_PAGE, ["0"], null]);
  }));
