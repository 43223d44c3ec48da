import { expect, test } from "vitest";
import { insertRead, insertUser } from "#tests/support/factories.ts";
import { HOUR_MS, nowMs } from "#lib/core/clock.ts";
import type { Member } from "#lib/members/member.ts";
import { listAuditEvents } from "../db/audit.ts";
import type { Sql } from "../db/connection.ts";
import { writeSql } from "../db/database.ts";
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
function newMember(sql: Sql, overrides: Parameters<typeof insertUser>[1] = {}): Member {
  const { id, firstName, team, role } = insertUser(sql, overrides);
  return { id, firstName, team, role, sessionKey: "a-session", loggedInAtMs: nowMs() };
}
const anAdmin = (sql: Sql) =>
  newMember(sql, { role: "ADMIN", firstName: "Root", email: "root@example.org" });
const code = (expected: string) => expect.objectContaining({ code: expected });
function insertCall(sql: Sql, userId: string): void {
  sql.run(
    `INSERT INTO "Call" ("id", "createdAt", "updatedAt", "title", "description", "keywords", "userId", "base64") VALUES (?, ?, ?, 'A question', 'About something', 'a, b', ?, '')`,
    `call-${userId}`,
    nowMs(),
    nowMs(),
    userId,
  );
}

test("a member is denied everything that admins may do", () =>
  writeSql((sql) => {
    const member = newMember(sql);
    const { id, updatedAt, email } = insertUser(sql);
    createSession(sql, id);
    const attempts = [
      () => searchUsers(sql, member, { text: "" }),
      () => getUser(sql, member, id),
      () => getUser(sql, member, member.id),
      () => countUsers(sql, member),
      () =>
        editUser(sql, member, { id, firstName: "Eve", team: "BLUE", expectedUpdatedAt: updatedAt }),
      () => revokeUserSessions(sql, member, id),
      () => deleteUser(sql, member, { id, typed: email }),
    ];
    for (const attempt of attempts) expect(attempt).toThrow(code("forbidden"));
    expect(sql.get(`SELECT "firstName", "team" FROM "User" WHERE "id" = ?`, id)).toEqual({
      firstName: "Ada",
      team: "RED",
    });
    expect(sql.get(`SELECT COUNT(*) AS "n" FROM "Session"`)).toEqual({ n: 1 });
    expect(listAuditEvents(sql)).toEqual([]);
  }));

test("revoking sessions and deleting members require a recent login", () =>
  writeSql((sql) => {
    const admin = { ...anAdmin(sql), loggedInAtMs: nowMs() - HOUR_MS };
    const { id, email } = insertUser(sql);
    for (const attempt of [
      () => revokeUserSessions(sql, admin, id),
      () => deleteUser(sql, admin, { id, typed: email }),
    ])
      expect(attempt).toThrow(code("unauthorized"));
    expect(getUser(sql, admin, id)).toMatchObject({ id });
  }));

test("search matches part of a name or address, ignoring case", () =>
  writeSql((sql) => {
    const admin = anAdmin(sql);
    insertUser(sql, { firstName: "Éva", email: "one@example.test" });
    insertUser(sql, { firstName: "Bob", email: "Bob.Two@example.test" });
    const names = (text: string) =>
      searchUsers(sql, admin, { text }).users.map(({ firstName }) => firstName);
    expect(names("bob.two@EXAMPLE")).toEqual(["Bob"]);
    expect(names("éva")).toEqual(["Éva"]);
    expect(names(" ÉV ")).toEqual(["Éva"]);
    expect(names("example.test")).toEqual(["Bob", "Éva"]);
    expect(names("")).toEqual(["Bob", "Éva", "Root"]);
    expect(names("unknown")).toEqual([]);
  }));

test("search escapes LIKE wildcards", () =>
  writeSql((sql) => {
    const admin = anAdmin(sql);
    for (const firstName of ["100%", "under_score", "back\\slash", "plain"])
      insertUser(sql, { firstName });
    const names = (text: string) =>
      searchUsers(sql, admin, { text }).users.map(({ firstName }) => firstName);
    expect(names("%")).toEqual(["100%"]);
    expect(names("_")).toEqual(["under_score"]);
    expect(names("\\")).toEqual(["back\\slash"]);
    expect(names("%a%")).toEqual([]);
    expect(names("' OR 1=1 --")).toEqual([]);
  }));

test("pages list every member once, without a sort", () =>
  writeSql((sql) => {
    const admin = anAdmin(sql);
    for (let i = 0; i < 2 * USERS_PER_PAGE; i++) insertUser(sql, { firstName: `Member ${i}` });
    const seen: string[] = [];
    let next: number | null = null;
    let pages = 0;
    do {
      const page = searchUsers(sql, admin, { text: "", before: next });
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
  writeSql((sql) => {
    const admin = anAdmin(sql);
    const { id } = insertUser(sql);
    for (const postSlug of ["a", "b"]) insertRead(sql, { userId: id, postSlug });
    insertCall(sql, id);
    createSession(sql, id, { device: "Firefox on Linux", place: null });
    createSession(sql, id);
    sql.run(
      `INSERT INTO "Session" ("id", "createdAt", "userId", "expirationDate") VALUES ('over', 1, ?, 2)`,
      id,
    );
    expect(getUser(sql, admin, id)).toMatchObject({
      readCount: 2,
      callCount: 1,
      sessionCount: 2,
      lastSeenAt: expect.any(Number) as number,
      isLastAdmin: false,
      callList: [{ title: "A question", state: "NEW" }],
    });
    expect(getUser(sql, admin, admin.id)).toMatchObject({
      readCount: 0,
      callCount: 0,
      sessionCount: 0,
      lastSeenAt: null,
      isLastAdmin: true,
      callList: [],
    });
    expect(() => getUser(sql, admin, "unknown")).toThrow(code("not_found"));
  }));

test("an edit changes name and team, moves the reads, and is logged without the name", () =>
  writeSql((sql) => {
    const admin = anAdmin(sql);
    const { id, updatedAt } = insertUser(sql, { team: "RED" });
    for (const postSlug of ["a", "b"]) insertRead(sql, { userId: id, postSlug });
    expect(
      editUser(sql, admin, { id, firstName: "Grace", team: "BLUE", expectedUpdatedAt: updatedAt }),
    ).toEqual({ changed: ["name", "team"], slugs: ["a", "b"] });
    expect(getUser(sql, admin, id)).toMatchObject({ firstName: "Grace", team: "BLUE" });
    expect(sql.all(`SELECT DISTINCT "team" FROM "PostTeamDay"`)).toEqual([{ team: "BLUE" }]);
    expect(listAuditEvents(sql)).toMatchObject([
      {
        actorId: admin.id,
        action: "user.edit",
        subjectId: id,
        detail: { name: "changed", team: { from: "RED", to: "BLUE" } },
      },
    ]);
    expect(JSON.stringify(listAuditEvents(sql))).not.toMatch(/Grace|Ada/);
  }));

test("a concurrent edit is refused (optimistic lock)", () =>
  writeSql((sql) => {
    const admin = anAdmin(sql);
    const { id, updatedAt } = insertUser(sql, { team: "RED" });
    editUser(sql, admin, { id, firstName: "Grace", team: "RED", expectedUpdatedAt: updatedAt });
    expect(() =>
      editUser(sql, admin, { id, firstName: "Ada", team: "BLUE", expectedUpdatedAt: updatedAt }),
    ).toThrow(/has changed since/);
    expect(getUser(sql, admin, id)).toMatchObject({ firstName: "Grace", team: "RED" });
    expect(() =>
      editUser(sql, admin, {
        id: "unknown",
        firstName: "Ada",
        team: "BLUE",
        expectedUpdatedAt: updatedAt,
      }),
    ).toThrow(code("not_found"));
  }));

test("an edit that changes nothing writes nothing", () =>
  writeSql((sql) => {
    const admin = anAdmin(sql);
    const { id, updatedAt, firstName, team } = insertUser(sql);
    expect(editUser(sql, admin, { id, firstName, team, expectedUpdatedAt: updatedAt })).toEqual({
      changed: [],
      slugs: [],
    });
    expect([getUser(sql, admin, id).updatedAt, listAuditEvents(sql)]).toEqual([updatedAt, []]);
  }));

test("revoking sessions affects one member only", () =>
  writeSql((sql) => {
    const admin = anAdmin(sql);
    const { id } = insertUser(sql);
    createSession(sql, id);
    createSession(sql, admin.id);
    expect(revokeUserSessions(sql, admin, id)).toBe(1);
    expect(sql.all(`SELECT "userId" FROM "Session"`)).toEqual([{ userId: admin.id }]);
    expect(listAuditEvents(sql)).toMatchObject([{ action: "user.sessions", detail: { ended: 1 } }]);
  }));

test("a member is deleted only if their address is entered", () =>
  writeSql((sql) => {
    const admin = anAdmin(sql);
    const { id, email } = insertUser(sql, { email: "ada@example.test" });
    const other = insertUser(sql);
    for (const userId of [id, other.id]) {
      insertRead(sql, { userId, postSlug: "a" });
      insertCall(sql, userId);
      createSession(sql, userId);
    }
    sql.run(
      `INSERT INTO "LoginChallenge" ("tokenHash", "browserHash", "codeHash", "email", "createdAt", "expiresAt") VALUES ('t', 'b', 'c', 'Ada@example.test', 1, 2)`,
    );
    sql.run(
      `INSERT INTO "Delivery" ("createdAt", "kind", "userId", "about", "payload") VALUES (1, 'MAIL', ?, 'A mail', '{}')`,
      id,
    );
    expect(() => deleteUser(sql, admin, { id, typed: "Ada" })).toThrow(
      expect.objectContaining({ code: "invalid", field: "typed" }),
    );
    expect(deleteUser(sql, admin, { id, typed: " ADA@example.test " })).toEqual({ slugs: ["a"] });
    for (const table of ["Session", "Call", "CallReview", "PostRead"])
      expect([table, sql.get(`SELECT COUNT(*) AS "n" FROM "${table}"`)]).toEqual([table, { n: 1 }]);
    for (const table of ["LoginChallenge", "Delivery"])
      expect([table, sql.get(`SELECT COUNT(*) AS "n" FROM "${table}"`)]).toEqual([table, { n: 0 }]);
    expect(() => deleteUser(sql, admin, { id, typed: email })).toThrow(code("not_found"));
    expect(listAuditEvents(sql)).toMatchObject([
      { action: "user.delete", actorId: admin.id, subjectId: id },
    ]);
    expect(JSON.stringify(listAuditEvents(sql))).not.toContain("example.test");
  }));

test("the last admin can't be deleted, not even by themselves", () =>
  writeSql((sql) => {
    const admin = anAdmin(sql);
    expect(() => deleteUser(sql, admin, { id: admin.id, typed: "root@example.org" })).toThrow(
      code("conflict"),
    );
    insertUser(sql, { role: "ADMIN" });
    deleteUser(sql, admin, { id: admin.id, typed: "root@example.org" });
    expect(sql.get(`SELECT 1 FROM "User" WHERE "id" = ?`, admin.id)).toBeUndefined();
  }));

test("members and admins are counted", () =>
  writeSql((sql) => {
    const admin = anAdmin(sql);
    insertUser(sql);
    expect(countUsers(sql, admin)).toEqual({ members: 2, admins: 1 });
  }));
