import { expect, test } from "vitest";
import { DAY_MS } from "#lib/core/clock.ts";
import { type Tx, read, write } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
import { recordStatements } from "#tests/support/database.ts";
import { insertRead, insertUser } from "#tests/support/factories.ts";
import { recordLeadChanges } from "./lead-changes.ts";
import { WHOLE_SITE, findLeadingTeams, getStandings, mapLeadingTeams } from "./standings.ts";

const NOW = Date.parse("2026-11-23T10:00:00Z");
const at = (iso: string) => Date.parse(iso);
const findLeader = (tx: Tx, slug: string | null) =>
  findLeadingTeams(tx, { slugs: [slug ?? WHOLE_SITE], nowMs: NOW })[0];

/** Inserts `count` members of the team who each read `slug` at `createdAt`. */
function readers(tx: Tx, team: string, count: number, slug = "a-post", createdAt = NOW): string[] {
  return Array.from({ length: count }, () => {
    const { id } = insertUser(tx, { team });
    insertRead(tx, { userId: id, postSlug: slug, createdAt });
    return id;
  });
}

test("a team's reads are divided by its active members", () =>
  write((tx) => {
    const [red] = readers(tx, "RED", 1);
    insertRead(tx, { userId: red as string, postSlug: "a-post", createdAt: NOW - 8 * DAY_MS });
    readers(tx, "BLUE", 3);
    readers(tx, "BLUE", 1, "another-post");
    expect(getStandings(tx, { slug: "a-post", nowMs: NOW })).toEqual([
      { team: "RED", reads: 2, members: 1, readsPerMember: 2 },
      { team: "BLUE", reads: 3, members: 4, readsPerMember: 0.75 },
      { team: "YELLOW", reads: 0, members: 0, readsPerMember: 0 },
    ]);
    expect(
      getStandings(tx, { slug: null, nowMs: NOW }).map(({ team, reads }) => [team, reads]),
    ).toEqual([
      ["RED", 2],
      ["BLUE", 4],
      ["YELLOW", 0],
    ]);
  }));

test("ties are in the order of TEAMS", () =>
  write((tx) => {
    for (const team of ["YELLOW", "BLUE", "RED"]) readers(tx, team, 2);
    expect(getStandings(tx, { slug: "a-post", nowMs: NOW }).map(({ team }) => team)).toEqual([
      "RED",
      "BLUE",
      "YELLOW",
    ]);
    readers(tx, "RED", 1, "another-post");
    expect(getStandings(tx, { slug: "a-post", nowMs: NOW }).map(({ team }) => team)).toEqual([
      "BLUE",
      "YELLOW",
      "RED",
    ]);
    expect(findLeader(tx, "a-post")).toBe("BLUE");
  }));

test("a post without members' reads has no leading team", () =>
  write((tx) => {
    insertRead(tx, { clientId: "anonymous", createdAt: NOW });
    expect(findLeader(tx, "a-post")).toBeNull();
    expect(findLeader(tx, null)).toBeNull();
    expect(mapLeadingTeams(tx, NOW)).toEqual(new Map());
  }));

test("reads count from the whole calendar day six months ago", () =>
  write((tx) => {
    readers(tx, "RED", 1, "in", at("2026-05-23T00:00:00.000Z"));
    readers(tx, "RED", 1, "out", at("2026-05-22T23:59:59.999Z"));
    expect(mapLeadingTeams(tx, NOW)).toEqual(new Map([["in", "RED"]]));
    expect(getStandings(tx, { slug: "out", nowMs: NOW })[0]).toEqual({
      team: "RED",
      reads: 0,
      members: 2,
      readsPerMember: 0,
    });
  }));

test("members are active from the whole calendar day a year ago", () =>
  write((tx) => {
    readers(tx, "RED", 1, "a-post", at("2025-11-23T00:00:00.000Z"));
    readers(tx, "RED", 1, "a-post", at("2025-11-22T23:59:59.999Z"));
    expect(getStandings(tx, { slug: null, nowMs: NOW })[0]?.members).toBe(1);
  }));

test("a window clamps to the last day of a shorter month", () =>
  write((tx) => {
    readers(tx, "RED", 1, "in", at("2027-02-28T00:00:00Z"));
    readers(tx, "RED", 1, "out", at("2027-02-27T23:59:59Z"));
    expect([...mapLeadingTeams(tx, at("2027-08-31T12:00:00Z")).keys()]).toEqual(["in"]);
  }));

test("a member's reads move to the new team", () =>
  write((tx) => {
    const [member] = readers(tx, "RED", 1);
    sqlOf(tx).run(`UPDATE "User" SET "team" = 'YELLOW' WHERE "id" = ?`, member as string);
    expect(findLeader(tx, "a-post")).toBe("YELLOW");
    expect(findLeader(tx, null)).toBe("YELLOW");
    expect(getStandings(tx, { slug: null, nowMs: NOW }).find(({ team }) => team === "RED")).toEqual(
      {
        team: "RED",
        reads: 0,
        members: 0,
        readsPerMember: 0,
      },
    );
  }));

test("mapLeadingTeams matches findLeadingTeams", () =>
  write((tx) => {
    readers(tx, "RED", 3, "one");
    readers(tx, "BLUE", 1, "two");
    readers(tx, "YELLOW", 2, "two");
    readers(tx, "YELLOW", 1, "three", NOW - 300 * DAY_MS);
    insertRead(tx, { postSlug: "four", createdAt: NOW });
    const all = mapLeadingTeams(tx, NOW);
    for (const slug of ["one", "two", "three", "four"])
      expect(all.get(slug) ?? null).toBe(findLeader(tx, slug));
    expect(all.size).toBe(2);
  }));

test("standings never read PostRead", async () => {
  await write((tx) => readers(tx, "RED", 1));
  const statements = await recordStatements(() =>
    read((tx) => {
      getStandings(tx, { slug: "a-post", nowMs: NOW });
      getStandings(tx, { slug: null, nowMs: NOW });
      mapLeadingTeams(tx, NOW);
    }),
  );
  expect(statements).toHaveLength(6);
  for (const statement of statements) expect(statement).not.toContain("PostRead");
});

test("a lead change is recorded once, for the post and for the site", () =>
  write((tx) => {
    const owners = () =>
      sqlOf(tx).all<{ postSlug: string; team: string | null }>(
        `SELECT "postSlug", "team" FROM "OwnershipChange" ORDER BY "id"`,
      );
    expect(recordLeadChanges(tx, { slugs: ["a-post"], nowMs: NOW })).toEqual([]);
    readers(tx, "RED", 1);
    expect(recordLeadChanges(tx, { slugs: ["a-post", "a-post"], nowMs: NOW })).toEqual([
      { slug: "a-post", from: null, to: "RED" },
      { slug: null, from: null, to: "RED" },
    ]);
    expect(recordLeadChanges(tx, { slugs: ["a-post"], nowMs: NOW })).toEqual([]);
    readers(tx, "RED", 1, "another-post");
    readers(tx, "BLUE", 1);
    expect(recordLeadChanges(tx, { slugs: ["a-post"], nowMs: NOW })).toEqual([
      { slug: "a-post", from: "RED", to: "BLUE" },
    ]);
    expect(owners()).toEqual([
      { postSlug: "a-post", team: "RED" },
      { postSlug: "", team: "RED" },
      { postSlug: "a-post", team: "BLUE" },
    ]);
  }));

test("a lead that expires is recorded as null", () =>
  write((tx) => {
    readers(tx, "RED", 1);
    recordLeadChanges(tx, { slugs: ["a-post"], nowMs: NOW });
    expect(recordLeadChanges(tx, { slugs: ["a-post"], nowMs: NOW + 200 * DAY_MS })).toEqual([
      { slug: "a-post", from: "RED", to: null },
      { slug: null, from: "RED", to: null },
    ]);
  }));
