import { expect, test } from "vitest";
import { insertCall, insertRead, insertUser } from "#tests/support/factories.ts";
import { HOUR_MS, nowMs } from "#lib/core/clock.ts";
import type { Member } from "#lib/members/member.ts";
import { listAuditEvents } from "../db/audit.ts";
import { type Tx, write } from "#lib/db/database.ts";
import { createSession } from "#lib/members/sessions.ts";
import {
  USERS_PER_PAGE,
  countUsers,
  deleteUser,
  editUser,
  revokeUserSessions,
  searchUsers,
  getUser,
} from "./admin-users.ts";

/** Returns a new member with a recent login. */
function newMember(tx: Tx, overrides: Parameters<typeof insertUser>[1] = {}): Member {
  const { id, firstName, team, role } = insertUser(tx, overrides);
  return { id, firstName, team, role, sessionKey: "a-session", loggedInAtMs: nowMs() };
}
const anAdmin = (tx: Tx) =>
  newMember(tx, { role: "ADMIN", firstName: "Root", email: "root@example.org" });
const code = (expected: string) => expect.objectContaining({ code: expected });

test("a member is denied everything that admins may do", () =>
  write(async (tx) => {
    const member = newMember(tx);
    const { id, updatedAt, email } = insertUser(tx);
    await createSession(tx, id);
    const attempts = [
      () => searchUsers(tx, member, { text: "" }),
      () => getUser(tx, member, id),
      () => getUser(tx, member, member.id),
      () => countUsers(tx, member),
      () =>
        editUser(tx, member, { id, firstName: "Eve", team: "BLUE", expectedVersion: updatedAt }),
      () => revokeUserSessions(tx, member, id),
      () => deleteUser(tx, member, { id, typed: email }),
    ];
    for (const attempt of attempts) await expect(attempt()).rejects.toThrow(code("forbidden"));
    expect(
      await tx.user.findUnique({ where: { id }, select: { firstName: true, team: true } }),
    ).toMatchObject({
      firstName: "Ada",
      team: "RED",
    });
    expect(await tx.session.count()).toBe(1);
    expect(await listAuditEvents(tx)).toEqual([]);
  }));

test("revoking sessions and deleting members require a recent login", () =>
  write(async (tx) => {
    const admin = { ...anAdmin(tx), loggedInAtMs: nowMs() - HOUR_MS };
    const { id, email } = insertUser(tx);
    for (const attempt of [
      () => revokeUserSessions(tx, admin, id),
      () => deleteUser(tx, admin, { id, typed: email }),
    ])
      await expect(attempt()).rejects.toThrow(code("unauthorized"));
    expect(await getUser(tx, admin, id)).toMatchObject({ id });
  }));

test("search matches part of a name or address, ignoring case", () =>
  write(async (tx) => {
    const admin = anAdmin(tx);
    insertUser(tx, { firstName: "Éva", email: "one@example.test" });
    insertUser(tx, { firstName: "Иван", email: "three@other.test" });
    insertUser(tx, { firstName: "Bob", email: "Bob.Two@example.test" });
    const names = async (text: string) =>
      (await searchUsers(tx, admin, { text })).users.map(({ firstName }) => firstName);
    expect(await names("bob.two@EXAMPLE")).toEqual(["Bob"]);
    expect(await names("éva")).toEqual(["Éva"]);
    expect(await names(" ÉV ")).toEqual(["Éva"]);
    for (const text of ["Иван", "иван", "ИВАН", "ВА"]) expect(await names(text)).toEqual(["Иван"]);
    expect(await names("example.test")).toEqual(["Bob", "Éva"]);
    expect(await names("")).toEqual(["Bob", "Иван", "Éva", "Root"]);
    expect(await names("unknown")).toEqual([]);
  }));

test("search escapes wildcards", () =>
  write(async (tx) => {
    const admin = anAdmin(tx);
    for (const firstName of ["100%", "under_score", "back\\slash", "plain", "*?", "[a-z]^é"])
      insertUser(tx, { firstName });
    const names = async (text: string) =>
      (await searchUsers(tx, admin, { text })).users.map(({ firstName }) => firstName);
    expect(await names("%")).toEqual(["100%"]);
    expect(await names("_")).toEqual(["under_score"]);
    expect(await names("\\")).toEqual(["back\\slash"]);
    expect(await names("%a%")).toEqual([]);
    for (const text of ["*", "?"]) expect(await names(text)).toEqual(["*?"]);
    expect(await names("[A-Z]^É")).toEqual(["[a-z]^é"]);
    for (const text of ["*é", "?é", "[^x]é"]) expect(await names(text)).toEqual([]);
    expect(await names("' OR 1=1 --")).toEqual([]);
  }));

test("pages list every member once, without a sort", () =>
  write(async (tx) => {
    const admin = anAdmin(tx);
    for (let i = 0; i < 2 * USERS_PER_PAGE; i++) insertUser(tx, { firstName: `Member ${i}` });
    const seen: string[] = [];
    let next: number | null = null;
    let pages = 0;
    do {
      const page = await searchUsers(tx, admin, { text: "", before: next });
      seen.push(...page.users.map(({ firstName }) => firstName));
      next = page.next;
      pages += 1;
    } while (next !== null);
    expect([pages, seen.length, new Set(seen).size]).toEqual([
      3,
      2 * USERS_PER_PAGE + 1,
      2 * USERS_PER_PAGE + 1,
    ]);
    expect([seen[0], seen.at(-1)]).toEqual([`Member ${2 * USERS_PER_PAGE - 1}`, "Root"]);
  }));

test("a member's details count reads, calls and active sessions", () =>
  write(async (tx) => {
    const admin = anAdmin(tx);
    const { id } = insertUser(tx);
    for (const postSlug of ["a", "b"]) insertRead(tx, { userId: id, postSlug });
    insertCall(tx, { userId: id, title: "A question" });
    await createSession(tx, id, { device: "Firefox on Linux", place: null });
    await createSession(tx, id);
    await tx.session.create({
      data: { id: "over", createdAt: new Date(1), userId: id, expirationDate: new Date(2) },
    });
    expect(await getUser(tx, admin, id)).toMatchObject({
      readCount: 2,
      callCount: 1,
      sessionCount: 2,
      lastSeenAt: expect.any(Date) as Date,
      isLastAdmin: false,
      callList: [{ title: "A question", state: "NEW" }],
    });
    expect((await searchUsers(tx, admin, { text: "" })).users).toMatchObject([
      { id, readCount: 2, callCount: 1 },
      { id: admin.id, readCount: 0, callCount: 0 },
    ]);
    expect(await getUser(tx, admin, admin.id)).toMatchObject({
      readCount: 0,
      callCount: 0,
      sessionCount: 0,
      lastSeenAt: null,
      isLastAdmin: true,
      callList: [],
    });
    await expect(getUser(tx, admin, "unknown")).rejects.toThrow(code("not_found"));
  }));

test("an edit changes name and team, moves the reads, and is logged without the name", () =>
  write(async (tx) => {
    const admin = anAdmin(tx);
    const { id, updatedAt } = insertUser(tx, { team: "RED" });
    for (const postSlug of ["a", "b"]) insertRead(tx, { userId: id, postSlug });
    expect(
      await editUser(tx, admin, {
        id,
        firstName: "Grace",
        team: "BLUE",
        expectedVersion: updatedAt,
      }),
    ).toEqual({ changed: ["name", "team"], slugs: ["a", "b"] });
    expect(await getUser(tx, admin, id)).toMatchObject({ firstName: "Grace", team: "BLUE" });
    expect(
      await tx.dailyTeamReads.findMany({ distinct: ["team"], select: { team: true } }),
    ).toEqual([{ team: "BLUE" }]);
    expect(await listAuditEvents(tx)).toMatchObject([
      {
        actorId: admin.id,
        action: "user.edit",
        subjectId: id,
        detail: { name: "changed", team: { from: "RED", to: "BLUE" } },
      },
    ]);
    expect(JSON.stringify(await listAuditEvents(tx))).not.toMatch(/Grace|Ada/);
  }));

test("a concurrent edit is refused (optimistic lock)", () =>
  write(async (tx) => {
    const admin = anAdmin(tx);
    const { id, updatedAt } = insertUser(tx, { team: "RED" });
    await editUser(tx, admin, {
      id,
      firstName: "Grace",
      team: "RED",
      expectedVersion: updatedAt,
    });
    await expect(
      editUser(tx, admin, { id, firstName: "Ada", team: "BLUE", expectedVersion: updatedAt }),
    ).rejects.toThrow(/has changed since/);
    expect(await getUser(tx, admin, id)).toMatchObject({ firstName: "Grace", team: "RED" });
    await expect(
      editUser(tx, admin, {
        id: "unknown",
        firstName: "Ada",
        team: "BLUE",
        expectedVersion: updatedAt,
      }),
    ).rejects.toThrow(code("not_found"));
  }));

test("an edit that changes nothing writes nothing", () =>
  write(async (tx) => {
    const admin = anAdmin(tx);
    const { id, updatedAt, firstName, team } = insertUser(tx);
    expect(await editUser(tx, admin, { id, firstName, team, expectedVersion: updatedAt })).toEqual({
      changed: [],
      slugs: [],
    });
    expect([(await getUser(tx, admin, id)).updatedAt.getTime(), await listAuditEvents(tx)]).toEqual(
      [updatedAt, []],
    );
  }));

test("revoking sessions affects one member only", () =>
  write(async (tx) => {
    const admin = anAdmin(tx);
    const { id } = insertUser(tx);
    await createSession(tx, id);
    await createSession(tx, admin.id);
    expect(await revokeUserSessions(tx, admin, id)).toBe(1);
    expect(await tx.session.findMany({ select: { userId: true } })).toEqual([{ userId: admin.id }]);
    expect(await listAuditEvents(tx)).toMatchObject([
      { action: "user.sessions", detail: { ended: 1 } },
    ]);
  }));

test("a member is deleted only if their address is entered", () =>
  write(async (tx) => {
    const admin = anAdmin(tx);
    const { id, email } = insertUser(tx, { email: "ada@example.test" });
    const other = insertUser(tx);
    for (const userId of [id, other.id]) {
      insertRead(tx, { userId, postSlug: "a" });
      insertCall(tx, { userId });
      await createSession(tx, userId);
    }
    await tx.loginChallenge.create({
      data: {
        tokenHash: "t",
        browserHash: "b",
        codeHash: "c",
        email: "Ada@example.test",
        createdAt: new Date(1),
        expiresAt: new Date(2),
      },
    });
    await tx.delivery.create({
      data: { createdAt: new Date(1), kind: "MAIL", userId: id, about: "A mail", payload: "{}" },
    });
    await expect(deleteUser(tx, admin, { id, typed: "Ada" })).rejects.toThrow(
      expect.objectContaining({ code: "invalid", field: "typed" }),
    );
    expect(await deleteUser(tx, admin, { id, typed: " ADA@example.test " })).toEqual({
      slugs: ["a"],
    });
    expect({
      sessions: await tx.session.count(),
      calls: await tx.call.count(),
      reviews: await tx.callReview.count(),
      reads: await tx.postRead.count(),
      challenges: await tx.loginChallenge.count(),
      deliveries: await tx.delivery.count(),
    }).toEqual({ sessions: 1, calls: 1, reviews: 1, reads: 1, challenges: 0, deliveries: 0 });
    await expect(deleteUser(tx, admin, { id, typed: email })).rejects.toThrow(code("not_found"));
    expect(await listAuditEvents(tx)).toMatchObject([
      { action: "user.delete", actorId: admin.id, subjectId: id },
    ]);
    expect(JSON.stringify(await listAuditEvents(tx))).not.toContain("example.test");
  }));

test("the last admin can't be deleted, not even by themselves", () =>
  write(async (tx) => {
    const admin = anAdmin(tx);
    await expect(
      deleteUser(tx, admin, { id: admin.id, typed: "root@example.org" }),
    ).rejects.toThrow(code("conflict"));
    insertUser(tx, { role: "ADMIN" });
    await deleteUser(tx, admin, { id: admin.id, typed: "root@example.org" });
    expect(await tx.user.findUnique({ where: { id: admin.id } })).toBeNull();
  }));

test("members and admins are counted", () =>
  write(async (tx) => {
    const admin = anAdmin(tx);
    insertUser(tx);
    expect(await countUsers(tx, admin)).toEqual({ members: 2, admins: 1 });
  }));
