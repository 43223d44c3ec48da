import { expect, test } from "vitest";
import { insertUser } from "#tests/support/factories.ts";
import { HOUR_MS, nowMs } from "#lib/core/clock.ts";
import type { Member } from "#lib/members/member.ts";
import { listAuditEvents } from "../db/audit.ts";
import { type Tx, read, write } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
import { createSession } from "#lib/members/sessions.ts";
import { COMMAND_LINE, changeRole, changeRoleByEmail, countAdmins, listAdmins } from "./roles.ts";

/** Returns a new member with a recent login. */
function newMember(tx: Tx, overrides: Parameters<typeof insertUser>[1] = {}): Member {
  const { id, firstName, team, role } = insertUser(tx, overrides);
  return { id, firstName, team, role, sessionKey: "a-session", loggedInAtMs: nowMs() };
}
const roleOf = (tx: Tx, id: string) =>
  sqlOf(tx).get<{ role: string }>(`SELECT "role" FROM "User" WHERE "id" = ?`, id)?.role;
const sessionsOf = (tx: Tx, id: string) =>
  sqlOf(tx).get<{ n: number }>(`SELECT COUNT(*) AS "n" FROM "Session" WHERE "userId" = ?`, id)?.n;

test("granting the admin role revokes the member's sessions and is logged", () =>
  write((tx) => {
    const admin = newMember(tx, { role: "ADMIN" });
    const { id } = insertUser(tx);
    const other = insertUser(tx);
    createSession(tx, id);
    createSession(tx, id);
    createSession(tx, other.id);
    sqlOf(tx).run(
      `INSERT INTO "DeviceLink" ("tokenHash", "userId", "expiresAt") VALUES ('x', ?, ?)`,
      id,
      nowMs() + HOUR_MS,
    );
    expect(changeRole(tx, admin, { id, role: "ADMIN" })).toEqual({
      id,
      from: "MEMBER",
      to: "ADMIN",
      revokedSessionCount: 2,
      adminCount: 2,
    });
    expect([roleOf(tx, id), sessionsOf(tx, id), sessionsOf(tx, other.id)]).toEqual(["ADMIN", 0, 1]);
    expect(sqlOf(tx).get(`SELECT 1 FROM "DeviceLink"`)).toBeUndefined();
    expect(listAuditEvents(tx)).toMatchObject([
      {
        actorId: admin.id,
        action: "user.role",
        subjectId: id,
        detail: { role: { from: "MEMBER", to: "ADMIN" }, sessions: 2 },
      },
    ]);
  }));

test("a member can't change roles", () =>
  write((tx) => {
    const member = newMember(tx);
    expect(() => changeRole(tx, member, { id: member.id, role: "ADMIN" })).toThrow(
      expect.objectContaining({ code: "forbidden" }),
    );
    expect(roleOf(tx, member.id)).toBe("MEMBER");
    expect(listAuditEvents(tx)).toEqual([]);
  }));

test("changing roles requires a recent login", () =>
  write((tx) => {
    const admin = { ...newMember(tx, { role: "ADMIN" }), loggedInAtMs: nowMs() - HOUR_MS };
    const { id } = insertUser(tx);
    expect(() => changeRole(tx, admin, { id, role: "ADMIN" })).toThrow(
      expect.objectContaining({ code: "unauthorized", field: "login" }),
    );
    expect(roleOf(tx, id)).toBe("MEMBER");
  }));

test("the last admin can't be revoked, one of two can", () =>
  write((tx) => {
    const first = newMember(tx, { role: "ADMIN" });
    expect(() => changeRole(tx, first, { id: first.id, role: "MEMBER" })).toThrow(/last admin/);
    const second = insertUser(tx, { role: "ADMIN" });
    expect(changeRole(tx, first, { id: first.id, role: "MEMBER" }).adminCount).toBe(1);
    expect([roleOf(tx, first.id), roleOf(tx, second.id), countAdmins(tx)]).toEqual([
      "MEMBER",
      "ADMIN",
      1,
    ]);
  }));

test("a role change is refused after a concurrent edit, or without effect", () =>
  write((tx) => {
    const admin = newMember(tx, { role: "ADMIN" });
    const { id, updatedAt } = insertUser(tx);
    expect(() =>
      changeRole(tx, admin, { id, role: "ADMIN", expectedUpdatedAt: updatedAt - 1 }),
    ).toThrow(/has changed since/);
    expect(() =>
      changeRole(tx, admin, { id, role: "MEMBER", expectedUpdatedAt: updatedAt }),
    ).toThrow(/not an admin/);
    expect(() => changeRole(tx, admin, { id: "unknown", role: "ADMIN" })).toThrow(
      expect.objectContaining({ code: "not_found" }),
    );
    changeRole(tx, admin, { id, role: "ADMIN", expectedUpdatedAt: updatedAt });
    expect(() =>
      changeRole(tx, admin, { id, role: "MEMBER", expectedUpdatedAt: updatedAt }),
    ).toThrow(/has changed since/);
  }));

test("the command line grants by address in any case, and may revoke the last admin", async () => {
  await write((tx) => insertUser(tx, { email: "Ada@Example.test" }));
  await write((tx) => changeRoleByEmail(tx, { email: "ada@example.TEST", role: "ADMIN" }));
  expect(await read(listAdmins)).toMatchObject([{ email: "Ada@Example.test" }]);
  expect(await read((tx) => listAuditEvents(tx))).toMatchObject([
    { actorId: null, action: "user.role" },
  ]);
  expect(
    await write((tx) => changeRoleByEmail(tx, { email: "ada@example.test", role: "MEMBER" })),
  ).toMatchObject({ adminCount: 0 });
});

test("of addresses that differ in case the exact match is taken", () =>
  write((tx) => {
    const [capital, small] = [
      insertUser(tx, { email: "Ada@example.test" }),
      insertUser(tx, { email: "ada@example.test" }),
    ];
    expect(() => changeRoleByEmail(tx, { email: "ADA@example.test", role: "ADMIN" })).toThrow(
      /differ only in case/,
    );
    changeRoleByEmail(tx, { email: "ada@example.test", role: "ADMIN" });
    expect([roleOf(tx, capital.id), roleOf(tx, small.id)]).toEqual(["MEMBER", "ADMIN"]);
  }));

test("an address without an account can't be made an admin", () =>
  write((tx) => {
    expect(() => changeRoleByEmail(tx, { email: "ada@example.test", role: "ADMIN" })).toThrow(
      /has not signed up yet/,
    );
    expect(() => changeRole(tx, COMMAND_LINE, { id: "x", role: "ADMIN" })).toThrow(
      expect.objectContaining({ code: "not_found" }),
    );
  }));
