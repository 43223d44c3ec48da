import { expect, test } from "vitest";
import { DAY_MS } from "#lib/core/clock.ts";
import { writeSql } from "#lib/db/database.ts";
import type { Sql } from "#lib/db/connection.ts";
import { insertRead, insertUser } from "#tests/support/factories.ts";
import { recordLeadChanges } from "./lead-changes.ts";
import { WHOLE_SITE, findLeadingTeams, getStandings, mapLeadingTeams } from "./standings.ts";

const NOW = Date.parse("2026-11-23T10:00:00Z");
const at = (iso: string) => Date.parse(iso);
const findLeader = (sql: Sql, slug: string | null) =>
  findLeadingTeams(sql, { slugs: [slug ?? WHOLE_SITE], nowMs: NOW })[0];

/** Inserts `count` members of the team who each read `slug` at `createdAt`. */
function readers(
  sql: Sql,
  team: string,
  count: number,
  slug = "a-post",
  createdAt = NOW,
): string[] {
  return Array.from({ length: count }, () => {
    const { id } = insertUser(sql, { team });
    insertRead(sql, { userId: id, postSlug: slug, createdAt });
    return id;
  });
}

test("a team's reads are divided by its active members", () =>
  writeSql((sql) => {
    const [red] = readers(sql, "RED", 1);
    insertRead(sql, { userId: red as string, postSlug: "a-post", createdAt: NOW - 8 * DAY_MS });
    readers(sql, "BLUE", 3);
    readers(sql, "BLUE", 1, "another-post");
    expect(getStandings(sql, { slug: "a-post", nowMs: NOW })).toEqual([
      { team: "RED", reads: 2, members: 1, readsPerMember: 2 },
      { team: "BLUE", reads: 3, members: 4, readsPerMember: 0.75 },
      { team: "YELLOW", reads: 0, members: 0, readsPerMember: 0 },
    ]);
    expect(
      getStandings(sql, { slug: null, nowMs: NOW }).map(({ team, reads }) => [team, reads]),
    ).toEqual([
      ["RED", 2],
      ["BLUE", 4],
      ["YELLOW", 0],
    ]);
  }));

test("ties are in the order of TEAMS", () =>
  writeSql((sql) => {
    for (const team of ["YELLOW", "BLUE", "RED"]) readers(sql, team, 2);
    expect(getStandings(sql, { slug: "a-post", nowMs: NOW }).map(({ team }) => team)).toEqual([
      "RED",
      "BLUE",
      "YELLOW",
    ]);
    readers(sql, "RED", 1, "another-post");
    expect(getStandings(sql, { slug: "a-post", nowMs: NOW }).map(({ team }) => team)).toEqual([
      "BLUE",
      "YELLOW",
      "RED",
    ]);
    expect(findLeader(sql, "a-post")).toBe("BLUE");
  }));

test("a post without members' reads has no leading team", () =>
  writeSql((sql) => {
    insertRead(sql, { clientId: "anonymous", createdAt: NOW });
    expect(findLeader(sql, "a-post")).toBeNull();
    expect(findLeader(sql, null)).toBeNull();
    expect(mapLeadingTeams(sql, NOW)).toEqual(new Map());
  }));

test("reads count from the whole calendar day six months ago", () =>
  writeSql((sql) => {
    readers(sql, "RED", 1, "in", at("2026-05-23T00:00:00.000Z"));
    readers(sql, "RED", 1, "out", at("2026-05-22T23:59:59.999Z"));
    expect(mapLeadingTeams(sql, NOW)).toEqual(new Map([["in", "RED"]]));
    expect(getStandings(sql, { slug: "out", nowMs: NOW })[0]).toEqual({
      team: "RED",
      reads: 0,
      members: 2,
      readsPerMember: 0,
    });
  }));

test("members are active from the whole calendar day a year ago", () =>
  writeSql((sql) => {
    readers(sql, "RED", 1, "a-post", at("2025-11-23T00:00:00.000Z"));
    readers(sql, "RED", 1, "a-post", at("2025-11-22T23:59:59.999Z"));
    expect(getStandings(sql, { slug: null, nowMs: NOW })[0]?.members).toBe(1);
  }));

test("a window clamps to the last day of a shorter month", () =>
  writeSql((sql) => {
    readers(sql, "RED", 1, "in", at("2027-02-28T00:00:00Z"));
    readers(sql, "RED", 1, "out", at("2027-02-27T23:59:59Z"));
    expect([...mapLeadingTeams(sql, at("2027-08-31T12:00:00Z")).keys()]).toEqual(["in"]);
  }));

test("a member's reads move to the new team", () =>
  writeSql((sql) => {
    const [member] = readers(sql, "RED", 1);
    sql.run(`UPDATE "User" SET "team" = 'YELLOW' WHERE "id" = ?`, member as string);
    expect(findLeader(sql, "a-post")).toBe("YELLOW");
    expect(findLeader(sql, null)).toBe("YELLOW");
    expect(
      getStandings(sql, { slug: null, nowMs: NOW }).find(({ team }) => team === "RED"),
    ).toEqual({
      team: "RED",
      reads: 0,
      members: 0,
      readsPerMember: 0,
    });
  }));

test("mapLeadingTeams matches findLeadingTeams", () =>
  writeSql((sql) => {
    readers(sql, "RED", 3, "one");
    readers(sql, "BLUE", 1, "two");
    readers(sql, "YELLOW", 2, "two");
    readers(sql, "YELLOW", 1, "three", NOW - 300 * DAY_MS);
    insertRead(sql, { postSlug: "four", createdAt: NOW });
    const all = mapLeadingTeams(sql, NOW);
    for (const slug of ["one", "two", "three", "four"])
      expect(all.get(slug) ?? null).toBe(findLeader(sql, slug));
    expect(all.size).toBe(2);
  }));

test("standings never read PostRead", () =>
  writeSql((sql) => {
    readers(sql, "RED", 1);
    const asked: string[] = [];
    const watched: Sql = {
      ...sql,
      get: (text, ...values) => (asked.push(text), sql.get(text, ...values)),
      all: (text, ...values) => (asked.push(text), sql.all(text, ...values)),
    };
    getStandings(watched, { slug: "a-post", nowMs: NOW });
    getStandings(watched, { slug: null, nowMs: NOW });
    mapLeadingTeams(watched, NOW);
    expect(asked).toHaveLength(6);
    for (const text of asked) expect(text).not.toContain("PostRead");
  }));

test("a lead change is recorded once, for the post and for the site", () =>
  writeSql((sql) => {
    const owners = () =>
      sql.all<{ postSlug: string; team: string | null }>(
        `SELECT "postSlug", "team" FROM "OwnershipChange" ORDER BY "id"`,
      );
    expect(recordLeadChanges(sql, { slugs: ["a-post"], nowMs: NOW })).toEqual([]);
    readers(sql, "RED", 1);
    expect(recordLeadChanges(sql, { slugs: ["a-post", "a-post"], nowMs: NOW })).toEqual([
      { slug: "a-post", from: null, to: "RED" },
      { slug: null, from: null, to: "RED" },
    ]);
    expect(recordLeadChanges(sql, { slugs: ["a-post"], nowMs: NOW })).toEqual([]);
    readers(sql, "RED", 1, "another-post");
    readers(sql, "BLUE", 1);
    expect(recordLeadChanges(sql, { slugs: ["a-post"], nowMs: NOW })).toEqual([
      { slug: "a-post", from: "RED", to: "BLUE" },
    ]);
    expect(owners()).toEqual([
      { postSlug: "a-post", team: "RED" },
      { postSlug: "", team: "RED" },
      { postSlug: "a-post", team: "BLUE" },
    ]);
  }));

test("a lead that expires is recorded as null", () =>
  writeSql((sql) => {
    readers(sql, "RED", 1);
    recordLeadChanges(sql, { slugs: ["a-post"], nowMs: NOW });
    expect(recordLeadChanges(sql, { slugs: ["a-post"], nowMs: NOW + 200 * DAY_MS })).toEqual([
      { slug: "a-post", from: "RED", to: null },
      { slug: null, from: "RED", to: null },
    ]);
  }));
