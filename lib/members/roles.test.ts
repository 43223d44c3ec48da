import { expect, test } from "vitest";
import { insertUser } from "#tests/support/factories.ts";
import { HOUR_MS, nowMs } from "#lib/core/clock.ts";
import type { Member } from "#lib/core/member.ts";
import { listAuditEvents } from "../db/audit.ts";
import type { Sql } from "../db/connection.ts";
import { readSql, writeSql } from "../db/database.ts";
import { createSession } from "./session/session.ts";
import { COMMAND_LINE, changeRole, changeRoleByEmail, countAdmins, listAdmins } from "./roles.ts";

/** Somebody who has just logged in. */
function someone(sql: Sql, given: Parameters<typeof insertUser>[1] = {}): Member {
  const { id, firstName, team, role } = insertUser(sql, given);
  return { id, firstName, team, role, sessionKey: "a-session", loggedInAtMs: nowMs() };
}
const roleOf = (sql: Sql, id: string) =>
  sql.get<{ role: string }>(`SELECT "role" FROM "User" WHERE "id" = ?`, id)?.role;
const sessionsOf = (sql: Sql, id: string) =>
  sql.get<{ n: number }>(`SELECT COUNT(*) AS "n" FROM "Session" WHERE "userId" = ?`, id)?.n;

test("an admin makes a member an admin, whose sessions end, and it is noted", () =>
  writeSql((sql) => {
    const admin = someone(sql, { role: "ADMIN" });
    const { id } = insertUser(sql);
    const other = insertUser(sql);
    createSession(sql, id);
    createSession(sql, id);
    createSession(sql, other.id);
    sql.run(
      `INSERT INTO "DeviceLink" ("tokenHash", "userId", "expiresAt") VALUES ('x', ?, ?)`,
      id,
      nowMs() + HOUR_MS,
    );
    expect(changeRole(sql, admin, { id, role: "ADMIN" })).toEqual({
      id,
      from: "MEMBER",
      to: "ADMIN",
      revokedSessionCount: 2,
      adminCount: 2,
    });
    expect([roleOf(sql, id), sessionsOf(sql, id), sessionsOf(sql, other.id)]).toEqual([
      "ADMIN",
      0,
      1,
    ]);
    expect(sql.get(`SELECT 1 FROM "DeviceLink"`)).toBeUndefined();
    expect(listAuditEvents(sql)).toMatchObject([
      {
        actorId: admin.id,
        action: "user.role",
        subjectId: id,
        detail: { role: { from: "MEMBER", to: "ADMIN" }, sessions: 2 },
      },
    ]);
  }));

test("a member changes no role", () =>
  writeSql((sql) => {
    const member = someone(sql);
    expect(() => changeRole(sql, member, { id: member.id, role: "ADMIN" })).toThrow(
      expect.objectContaining({ code: "forbidden" }),
    );
    expect(roleOf(sql, member.id)).toBe("MEMBER");
    expect(listAuditEvents(sql)).toEqual([]);
  }));

test("an admin whose log-in is old changes no role", () =>
  writeSql((sql) => {
    const admin = { ...someone(sql, { role: "ADMIN" }), loggedInAtMs: nowMs() - HOUR_MS };
    const { id } = insertUser(sql);
    expect(() => changeRole(sql, admin, { id, role: "ADMIN" })).toThrow(
      expect.objectContaining({ code: "unauthorized", field: "login" }),
    );
    expect(roleOf(sql, id)).toBe("MEMBER");
  }));

test("the last admin stays one, of two each may go", () =>
  writeSql((sql) => {
    const first = someone(sql, { role: "ADMIN" });
    expect(() => changeRole(sql, first, { id: first.id, role: "MEMBER" })).toThrow(/last admin/);
    const second = insertUser(sql, { role: "ADMIN" });
    expect(changeRole(sql, first, { id: first.id, role: "MEMBER" }).adminCount).toBe(1);
    expect([roleOf(sql, first.id), roleOf(sql, second.id), countAdmins(sql)]).toEqual([
      "MEMBER",
      "ADMIN",
      1,
    ]);
  }));

test("a role is changed from what the admin saw, to another", () =>
  writeSql((sql) => {
    const admin = someone(sql, { role: "ADMIN" });
    const { id, updatedAt } = insertUser(sql);
    expect(() =>
      changeRole(sql, admin, { id, role: "ADMIN", seenUpdatedAt: updatedAt - 1 }),
    ).toThrow(/changed this member meanwhile/);
    expect(() => changeRole(sql, admin, { id, role: "MEMBER", seenUpdatedAt: updatedAt })).toThrow(
      /no admin/,
    );
    expect(() => changeRole(sql, admin, { id: "nobody", role: "ADMIN" })).toThrow(
      expect.objectContaining({ code: "not_found" }),
    );
    changeRole(sql, admin, { id, role: "ADMIN", seenUpdatedAt: updatedAt });
    expect(() => changeRole(sql, admin, { id, role: "MEMBER", seenUpdatedAt: updatedAt })).toThrow(
      /meanwhile/,
    );
  }));

test("the command line grants by address in any capitals, and may take the last admin", async () => {
  await writeSql((sql) => insertUser(sql, { email: "Ada@Example.test" }));
  await writeSql((sql) => changeRoleByEmail(sql, { email: "ada@example.TEST", role: "ADMIN" }));
  expect(await readSql(listAdmins)).toMatchObject([{ email: "Ada@Example.test" }]);
  expect(await readSql((sql) => listAuditEvents(sql))).toMatchObject([
    { actorId: null, action: "user.role" },
  ]);
  expect(
    await writeSql((sql) => changeRoleByEmail(sql, { email: "ada@example.test", role: "MEMBER" })),
  ).toMatchObject({ adminCount: 0 });
});

test("an address that only differs in capitals from another is taken exactly", () =>
  writeSql((sql) => {
    const [capital, small] = [
      insertUser(sql, { email: "Ada@example.test" }),
      insertUser(sql, { email: "ada@example.test" }),
    ];
    expect(() => changeRoleByEmail(sql, { email: "ADA@example.test", role: "ADMIN" })).toThrow(
      /exactly as one of them/,
    );
    changeRoleByEmail(sql, { email: "ada@example.test", role: "ADMIN" });
    expect([roleOf(sql, capital.id), roleOf(sql, small.id)]).toEqual(["MEMBER", "ADMIN"]);
  }));

test("whoever has not signed up is not made an admin", () =>
  writeSql((sql) => {
    expect(() => changeRoleByEmail(sql, { email: "ada@example.test", role: "ADMIN" })).toThrow(
      /has not signed up yet/,
    );
    expect(() => changeRole(sql, COMMAND_LINE, { id: "x", role: "ADMIN" })).toThrow(
      expect.objectContaining({ code: "not_found" }),
    );
  }));
