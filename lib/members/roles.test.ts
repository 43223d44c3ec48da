import { expect, test } from "vitest";
import { insertUser } from "#tests/support/factories.ts";
import { HOUR_MS, nowMs } from "#lib/core/clock.ts";
import type { Member } from "#lib/members/member.ts";
import { listAuditEvents } from "../db/audit.ts";
import type { Sql } from "../db/connection.ts";
import { readSql, writeSql } from "../db/database.ts";
import { createSession } from "#lib/members/sessions.ts";
import { COMMAND_LINE, changeRole, changeRoleByEmail, countAdmins, listAdmins } from "./roles.ts";

/** Returns a new member with a recent login. */
function newMember(sql: Sql, overrides: Parameters<typeof insertUser>[1] = {}): Member {
  const { id, firstName, team, role } = insertUser(sql, overrides);
  return { id, firstName, team, role, sessionKey: "a-session", loggedInAtMs: nowMs() };
}
const roleOf = (sql: Sql, id: string) =>
  sql.get<{ role: string }>(`SELECT "role" FROM "User" WHERE "id" = ?`, id)?.role;
const sessionsOf = (sql: Sql, id: string) =>
  sql.get<{ n: number }>(`SELECT COUNT(*) AS "n" FROM "Session" WHERE "userId" = ?`, id)?.n;

test("granting the admin role revokes the member's sessions and is logged", () =>
  writeSql((sql) => {
    const admin = newMember(sql, { role: "ADMIN" });
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

test("a member can't change roles", () =>
  writeSql((sql) => {
    const member = newMember(sql);
    expect(() => changeRole(sql, member, { id: member.id, role: "ADMIN" })).toThrow(
      expect.objectContaining({ code: "forbidden" }),
    );
    expect(roleOf(sql, member.id)).toBe("MEMBER");
    expect(listAuditEvents(sql)).toEqual([]);
  }));

test("changing roles requires a recent login", () =>
  writeSql((sql) => {
    const admin = { ...newMember(sql, { role: "ADMIN" }), loggedInAtMs: nowMs() - HOUR_MS };
    const { id } = insertUser(sql);
    expect(() => changeRole(sql, admin, { id, role: "ADMIN" })).toThrow(
      expect.objectContaining({ code: "unauthorized", field: "login" }),
    );
    expect(roleOf(sql, id)).toBe("MEMBER");
  }));

test("the last admin can't be revoked, one of two can", () =>
  writeSql((sql) => {
    const first = newMember(sql, { role: "ADMIN" });
    expect(() => changeRole(sql, first, { id: first.id, role: "MEMBER" })).toThrow(/last admin/);
    const second = insertUser(sql, { role: "ADMIN" });
    expect(changeRole(sql, first, { id: first.id, role: "MEMBER" }).adminCount).toBe(1);
    expect([roleOf(sql, first.id), roleOf(sql, second.id), countAdmins(sql)]).toEqual([
      "MEMBER",
      "ADMIN",
      1,
    ]);
  }));

test("a role change is refused after a concurrent edit, or without effect", () =>
  writeSql((sql) => {
    const admin = newMember(sql, { role: "ADMIN" });
    const { id, updatedAt } = insertUser(sql);
    expect(() =>
      changeRole(sql, admin, { id, role: "ADMIN", expectedUpdatedAt: updatedAt - 1 }),
    ).toThrow(/has changed since/);
    expect(() =>
      changeRole(sql, admin, { id, role: "MEMBER", expectedUpdatedAt: updatedAt }),
    ).toThrow(/not an admin/);
    expect(() => changeRole(sql, admin, { id: "unknown", role: "ADMIN" })).toThrow(
      expect.objectContaining({ code: "not_found" }),
    );
    changeRole(sql, admin, { id, role: "ADMIN", expectedUpdatedAt: updatedAt });
    expect(() =>
      changeRole(sql, admin, { id, role: "MEMBER", expectedUpdatedAt: updatedAt }),
    ).toThrow(/has changed since/);
  }));

test("the command line ignores the case of addresses, and may demote the last admin", async () => {
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

test("if addresses differ only in case, the exact match is used", () =>
  writeSql((sql) => {
    const [capital, small] = [
      insertUser(sql, { email: "Ada@example.test" }),
      insertUser(sql, { email: "ada@example.test" }),
    ];
    expect(() => changeRoleByEmail(sql, { email: "ADA@example.test", role: "ADMIN" })).toThrow(
      /differ only in case/,
    );
    changeRoleByEmail(sql, { email: "ada@example.test", role: "ADMIN" });
    expect([roleOf(sql, capital.id), roleOf(sql, small.id)]).toEqual(["MEMBER", "ADMIN"]);
  }));

test("an address without an account can't be made an admin", () =>
  writeSql((sql) => {
    expect(() => changeRoleByEmail(sql, { email: "ada@example.test", role: "ADMIN" })).toThrow(
      /has not signed up yet/,
    );
    expect(() => changeRole(sql, COMMAND_LINE, { id: "x", role: "ADMIN" })).toThrow(
      expect.objectContaining({ code: "not_found" }),
    );
  }));
