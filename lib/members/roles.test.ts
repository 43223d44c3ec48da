import { expect, test } from "vitest";
import { insertUser } from "#tests/support/factories.ts";
import { HOUR_MS, nowMs } from "#lib/core/clock.ts";
import type { Member } from "#lib/members/member.ts";
import { listAuditEvents } from "../db/audit.ts";
import { type Tx, read, write } from "#lib/db/database.ts";
import { createSession } from "#lib/members/sessions.ts";
import { COMMAND_LINE, changeRole, changeRoleByEmail, countAdmins, listAdmins } from "./roles.ts";

/** Returns a new member with a recent login. */
function newMember(tx: Tx, overrides: Parameters<typeof insertUser>[1] = {}): Member {
  const { id, firstName, team, role } = insertUser(tx, overrides);
  return { id, firstName, team, role, sessionKey: "a-session", loggedInAtMs: nowMs() };
}
const roleOf = async (tx: Tx, id: string) =>
  (await tx.user.findUnique({ where: { id }, select: { role: true } }))?.role;
const sessionsOf = (tx: Tx, userId: string) => tx.session.count({ where: { userId } });

test("granting the admin role revokes the member's sessions and is logged", () =>
  write(async (tx) => {
    const admin = newMember(tx, { role: "ADMIN" });
    const { id } = insertUser(tx);
    const other = insertUser(tx);
    await createSession(tx, id);
    await createSession(tx, id);
    await createSession(tx, other.id);
    await tx.deviceLink.create({
      data: { tokenHash: "x", userId: id, expiresAt: new Date(nowMs() + HOUR_MS) },
    });
    expect(await changeRole(tx, admin, { id, role: "ADMIN" })).toEqual({
      id,
      from: "MEMBER",
      to: "ADMIN",
      revokedSessionCount: 2,
      adminCount: 2,
    });
    expect([
      await roleOf(tx, id),
      await sessionsOf(tx, id),
      await sessionsOf(tx, other.id),
    ]).toEqual(["ADMIN", 0, 1]);
    expect(await tx.deviceLink.count()).toBe(0);
    expect(await listAuditEvents(tx)).toMatchObject([
      {
        actorId: admin.id,
        action: "user.role",
        subjectId: id,
        detail: { role: { from: "MEMBER", to: "ADMIN" }, sessions: 2 },
      },
    ]);
  }));

test("a member can't change roles", () =>
  write(async (tx) => {
    const member = newMember(tx);
    await expect(changeRole(tx, member, { id: member.id, role: "ADMIN" })).rejects.toThrow(
      expect.objectContaining({ code: "forbidden" }),
    );
    expect(await roleOf(tx, member.id)).toBe("MEMBER");
    expect(await listAuditEvents(tx)).toEqual([]);
  }));

test("changing roles requires a recent login", () =>
  write(async (tx) => {
    const admin = { ...newMember(tx, { role: "ADMIN" }), loggedInAtMs: nowMs() - HOUR_MS };
    const { id } = insertUser(tx);
    await expect(changeRole(tx, admin, { id, role: "ADMIN" })).rejects.toThrow(
      expect.objectContaining({ code: "unauthorized", field: "login" }),
    );
    expect(await roleOf(tx, id)).toBe("MEMBER");
  }));

test("the last admin can't be revoked, one of two can", () =>
  write(async (tx) => {
    const first = newMember(tx, { role: "ADMIN" });
    await expect(changeRole(tx, first, { id: first.id, role: "MEMBER" })).rejects.toThrow(
      /last admin/,
    );
    const second = insertUser(tx, { role: "ADMIN" });
    expect((await changeRole(tx, first, { id: first.id, role: "MEMBER" })).adminCount).toBe(1);
    expect([
      await roleOf(tx, first.id),
      await roleOf(tx, second.id),
      await countAdmins(tx),
    ]).toEqual(["MEMBER", "ADMIN", 1]);
  }));

test("a role change is refused after a concurrent edit, or without effect", () =>
  write(async (tx) => {
    const admin = newMember(tx, { role: "ADMIN" });
    const { id, updatedAt } = insertUser(tx);
    await expect(
      changeRole(tx, admin, { id, role: "ADMIN", expectedVersion: updatedAt - 1 }),
    ).rejects.toThrow(/has changed since/);
    await expect(
      changeRole(tx, admin, { id, role: "MEMBER", expectedVersion: updatedAt }),
    ).rejects.toThrow(/not an admin/);
    await expect(changeRole(tx, admin, { id: "unknown", role: "ADMIN" })).rejects.toThrow(
      expect.objectContaining({ code: "not_found" }),
    );
    await changeRole(tx, admin, { id, role: "ADMIN", expectedVersion: updatedAt });
    await expect(
      changeRole(tx, admin, { id, role: "MEMBER", expectedVersion: updatedAt }),
    ).rejects.toThrow(/has changed since/);
  }));

test("the command line ignores the case of addresses, and may demote the last admin", async () => {
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

test("if addresses differ only in case, the exact match is used", () =>
  write(async (tx) => {
    const [capital, small] = [
      insertUser(tx, { email: "Ada@example.test" }),
      insertUser(tx, { email: "ada@example.test" }),
    ];
    await expect(
      changeRoleByEmail(tx, { email: "ADA@example.test", role: "ADMIN" }),
    ).rejects.toThrow(/differ only in case/);
    await changeRoleByEmail(tx, { email: "ada@example.test", role: "ADMIN" });
    expect([await roleOf(tx, capital.id), await roleOf(tx, small.id)]).toEqual(["MEMBER", "ADMIN"]);
  }));

test("an address without an account can't be made an admin", () =>
  write(async (tx) => {
    await expect(
      changeRoleByEmail(tx, { email: "ada@example.test", role: "ADMIN" }),
    ).rejects.toThrow(/has not signed up yet/);
    await expect(changeRole(tx, COMMAND_LINE, { id: "x", role: "ADMIN" })).rejects.toThrow(
      expect.objectContaining({ code: "not_found" }),
    );
  }));
