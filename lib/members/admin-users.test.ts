import { expect, test } from "vitest";
import { insertRead, insertUser } from "#tests/support/factories.ts";
import { HOUR_MS, nowMs } from "#lib/core/clock.ts";
import type { Member } from "#lib/members/member.ts";
import { listAuditEvents } from "../db/audit.ts";
import { type Tx, write } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
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
function insertCall(tx: Tx, userId: string): void {
  sqlOf(tx).run(
    `INSERT INTO "Call" ("id", "createdAt", "updatedAt", "title", "description", "keywords", "userId", "base64") VALUES (?, ?, ?, 'A question', 'About something', 'a, b', ?, '')`,
    `call-${userId}`,
    nowMs(),
    nowMs(),
    userId,
  );
}

test("a member is refused everything that admins may do", () =>
  write((tx) => {
    const member = newMember(tx);
    const { id, updatedAt, email } = insertUser(tx);
    createSession(tx, id);
    const attempts = [
      () => searchUsers(tx, member, { text: "" }),
      () => getUser(tx, member, id),
      () => getUser(tx, member, member.id),
      () => countUsers(tx, member),
      () =>
        editUser(tx, member, { id, firstName: "Eve", team: "BLUE", expectedUpdatedAt: updatedAt }),
      () => revokeUserSessions(tx, member, id),
      () => deleteUser(tx, member, { id, typed: email }),
    ];
    for (const attempt of attempts) expect(attempt).toThrow(code("forbidden"));
    expect(sqlOf(tx).get(`SELECT "firstName", "team" FROM "User" WHERE "id" = ?`, id)).toEqual({
      firstName: "Ada",
      team: "RED",
    });
    expect(sqlOf(tx).get(`SELECT COUNT(*) AS "n" FROM "Session"`)).toEqual({ n: 1 });
    expect(listAuditEvents(tx)).toEqual([]);
  }));

test("revoking sessions and deleting members require a recent login", () =>
  write((tx) => {
    const admin = { ...anAdmin(tx), loggedInAtMs: nowMs() - HOUR_MS };
    const { id, email } = insertUser(tx);
    for (const attempt of [
      () => revokeUserSessions(tx, admin, id),
      () => deleteUser(tx, admin, { id, typed: email }),
    ])
      expect(attempt).toThrow(code("unauthorized"));
    expect(getUser(tx, admin, id)).toMatchObject({ id });
  }));

test("search matches part of a name or address, in any case", () =>
  write((tx) => {
    const admin = anAdmin(tx);
    insertUser(tx, { firstName: "Éva", email: "one@example.test" });
    insertUser(tx, { firstName: "Bob", email: "Bob.Two@example.test" });
    const names = (text: string) =>
      searchUsers(tx, admin, { text }).users.map(({ firstName }) => firstName);
    expect(names("bob.two@EXAMPLE")).toEqual(["Bob"]);
    expect(names("éva")).toEqual(["Éva"]);
    expect(names(" ÉV ")).toEqual(["Éva"]);
    expect(names("example.test")).toEqual(["Bob", "Éva"]);
    expect(names("")).toEqual(["Bob", "Éva", "Root"]);
    expect(names("unknown")).toEqual([]);
  }));

test("search escapes LIKE wildcards", () =>
  write((tx) => {
    const admin = anAdmin(tx);
    for (const firstName of ["100%", "under_score", "back\\slash", "plain"])
      insertUser(tx, { firstName });
    const names = (text: string) =>
      searchUsers(tx, admin, { text }).users.map(({ firstName }) => firstName);
    expect(names("%")).toEqual(["100%"]);
    expect(names("_")).toEqual(["under_score"]);
    expect(names("\\")).toEqual(["back\\slash"]);
    expect(names("%a%")).toEqual([]);
    expect(names("' OR 1=1 --")).toEqual([]);
  }));

test("pages list every member once, without a sort", () =>
  write((tx) => {
    const admin = anAdmin(tx);
    for (let i = 0; i < 2 * USERS_PER_PAGE; i++) insertUser(tx, { firstName: `Member ${i}` });
    const seen: string[] = [];
    let next: number | null = null;
    let pages = 0;
    do {
      const page = searchUsers(tx, admin, { text: "", before: next });
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
  write((tx) => {
    const admin = anAdmin(tx);
    const { id } = insertUser(tx);
    for (const postSlug of ["a", "b"]) insertRead(tx, { userId: id, postSlug });
    insertCall(tx, id);
    createSession(tx, id, { device: "Firefox on Linux", place: null });
    createSession(tx, id);
    sqlOf(tx).run(
      `INSERT INTO "Session" ("id", "createdAt", "userId", "expirationDate") VALUES ('over', 1, ?, 2)`,
      id,
    );
    expect(getUser(tx, admin, id)).toMatchObject({
      readCount: 2,
      callCount: 1,
      sessionCount: 2,
      lastSeenAt: expect.any(Number) as number,
      isLastAdmin: false,
      callList: [{ title: "A question", state: "NEW" }],
    });
    expect(getUser(tx, admin, admin.id)).toMatchObject({
      readCount: 0,
      callCount: 0,
      sessionCount: 0,
      lastSeenAt: null,
      isLastAdmin: true,
      callList: [],
    });
    expect(() => getUser(tx, admin, "unknown")).toThrow(code("not_found"));
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
        expectedUpdatedAt: updatedAt,
      }),
    ).toEqual({ changed: ["name", "team"], slugs: ["a", "b"] });
    expect(getUser(tx, admin, id)).toMatchObject({ firstName: "Grace", team: "BLUE" });
    expect(sqlOf(tx).all(`SELECT DISTINCT "team" FROM "PostTeamDay"`)).toEqual([{ team: "BLUE" }]);
    expect(listAuditEvents(tx)).toMatchObject([
      {
        actorId: admin.id,
        action: "user.edit",
        subjectId: id,
        detail: { name: "changed", team: { from: "RED", to: "BLUE" } },
      },
    ]);
    expect(JSON.stringify(listAuditEvents(tx))).not.toMatch(/Grace|Ada/);
  }));

test("a concurrent edit is refused (optimistic lock)", () =>
  write(async (tx) => {
    const admin = anAdmin(tx);
    const { id, updatedAt } = insertUser(tx, { team: "RED" });
    await editUser(tx, admin, {
      id,
      firstName: "Grace",
      team: "RED",
      expectedUpdatedAt: updatedAt,
    });
    expect(() =>
      editUser(tx, admin, { id, firstName: "Ada", team: "BLUE", expectedUpdatedAt: updatedAt }),
    ).toThrow(/has changed since/);
    expect(getUser(tx, admin, id)).toMatchObject({ firstName: "Grace", team: "RED" });
    expect(() =>
      editUser(tx, admin, {
        id: "unknown",
        firstName: "Ada",
        team: "BLUE",
        expectedUpdatedAt: updatedAt,
      }),
    ).toThrow(code("not_found"));
  }));

test("an edit that changes nothing writes nothing", () =>
  write(async (tx) => {
    const admin = anAdmin(tx);
    const { id, updatedAt, firstName, team } = insertUser(tx);
    expect(
      await editUser(tx, admin, { id, firstName, team, expectedUpdatedAt: updatedAt }),
    ).toEqual({
      changed: [],
      slugs: [],
    });
    expect([getUser(tx, admin, id).updatedAt, listAuditEvents(tx)]).toEqual([updatedAt, []]);
  }));

test("revoking sessions affects one member only", () =>
  write((tx) => {
    const admin = anAdmin(tx);
    const { id } = insertUser(tx);
    createSession(tx, id);
    createSession(tx, admin.id);
    expect(revokeUserSessions(tx, admin, id)).toBe(1);
    expect(sqlOf(tx).all(`SELECT "userId" FROM "Session"`)).toEqual([{ userId: admin.id }]);
    expect(listAuditEvents(tx)).toMatchObject([{ action: "user.sessions", detail: { ended: 1 } }]);
  }));

test("a member is deleted only if their address is typed", () =>
  write(async (tx) => {
    const admin = anAdmin(tx);
    const { id, email } = insertUser(tx, { email: "ada@example.test" });
    const other = insertUser(tx);
    for (const userId of [id, other.id]) {
      insertRead(tx, { userId, postSlug: "a" });
      insertCall(tx, userId);
      createSession(tx, userId);
    }
    sqlOf(tx).run(
      `INSERT INTO "LoginChallenge" ("tokenHash", "browserHash", "codeHash", "email", "createdAt", "expiresAt") VALUES ('t', 'b', 'c', 'Ada@example.test', 1, 2)`,
    );
    sqlOf(tx).run(
      `INSERT INTO "Delivery" ("createdAt", "kind", "userId", "about", "payload") VALUES (1, 'MAIL', ?, 'A mail', '{}')`,
      id,
    );
    expect(() => deleteUser(tx, admin, { id, typed: "Ada" })).toThrow(
      expect.objectContaining({ code: "invalid", field: "typed" }),
    );
    expect(await deleteUser(tx, admin, { id, typed: " ADA@example.test " })).toEqual({
      slugs: ["a"],
    });
    for (const table of ["Session", "Call", "CallReview", "PostRead"])
      expect([table, sqlOf(tx).get(`SELECT COUNT(*) AS "n" FROM "${table}"`)]).toEqual([
        table,
        { n: 1 },
      ]);
    for (const table of ["LoginChallenge", "Delivery"])
      expect([table, sqlOf(tx).get(`SELECT COUNT(*) AS "n" FROM "${table}"`)]).toEqual([
        table,
        { n: 0 },
      ]);
    expect(() => deleteUser(tx, admin, { id, typed: email })).toThrow(code("not_found"));
    expect(listAuditEvents(tx)).toMatchObject([
      { action: "user.delete", actorId: admin.id, subjectId: id },
    ]);
    expect(JSON.stringify(listAuditEvents(tx))).not.toContain("example.test");
  }));

test("the last admin can't be deleted, not even by themselves", () =>
  write(async (tx) => {
    const admin = anAdmin(tx);
    expect(() => deleteUser(tx, admin, { id: admin.id, typed: "root@example.org" })).toThrow(
      code("conflict"),
    );
    insertUser(tx, { role: "ADMIN" });
    await deleteUser(tx, admin, { id: admin.id, typed: "root@example.org" });
    expect(sqlOf(tx).get(`SELECT 1 FROM "User" WHERE "id" = ?`, admin.id)).toBeUndefined();
  }));

test("members and admins are counted", () =>
  write((tx) => {
    const admin = anAdmin(tx);
    insertUser(tx);
    expect(countUsers(tx, admin)).toEqual({ members: 2, admins: 1 });
  }));
