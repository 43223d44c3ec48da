import { expect, test } from "vitest";
import { DAY_MS } from "#lib/core/clock.ts";
import { type Tx, read, write } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
import { recordStatements } from "#tests/support/database.ts";
import { insertRead, insertUser } from "#tests/support/factories.ts";
import { recordLeadChanges } from "./lead-changes.ts";
import { parseLead } from "./lead.ts";
import { WHOLE_SITE, findLeadingTeams, getStandings, mapLeadingTeams } from "./standings.ts";

const NOW = Date.parse("2026-11-23T10:00:00Z");
/** When the members signed up. */
const START = NOW - 800 * DAY_MS;
const at = (iso: string) => Date.parse(iso);
const findLeader = (tx: Tx, slug: string | null) =>
  findLeadingTeams(tx, { slugs: [slug ?? WHOLE_SITE], nowMs: NOW }).leads[0];

/** Inserts `count` members of the team who each read `slug` at `createdAt`. */
function readers(tx: Tx, team: string, count: number, slug = "a-post", createdAt = NOW): string[] {
  return Array.from({ length: count }, () => {
    const { id } = insertUser(tx, { team, createdAt: START });
    insertRead(tx, { userId: id, postSlug: slug, createdAt });
    return id;
  });
}

/** Makes every member active for longer than the window, by a read of another post. */
function settle(tx: Tx): void {
  for (const { id } of sqlOf(tx).all<{ id: string }>(`SELECT "id" FROM "User"`))
    insertRead(tx, { userId: id, postSlug: "old-post", createdAt: NOW - 200 * DAY_MS });
}

test("a team's reads are divided by its active members", () =>
  write((tx) => {
    const [red] = readers(tx, "RED", 1);
    insertRead(tx, { userId: red as string, postSlug: "a-post", createdAt: NOW - 8 * DAY_MS });
    readers(tx, "BLUE", 3);
    readers(tx, "BLUE", 1, "another-post");
    settle(tx);
    expect(getStandings(tx, { slug: "a-post", nowMs: NOW })).toEqual([
      { team: "RED", reads: 2, members: 1, memberTime: 1, readsPerMember: 2 },
      { team: "BLUE", reads: 3, members: 4, memberTime: 4, readsPerMember: 0.75 },
      { team: "YELLOW", reads: 0, members: 0, memberTime: 1, readsPerMember: 0 },
    ]);
    expect(
      getStandings(tx, { slug: null, nowMs: NOW }).map(({ team, reads }) => [team, reads]),
    ).toEqual([
      ["RED", 2],
      ["BLUE", 4],
      ["YELLOW", 0],
    ]);
  }));

test("a new member counts more each day, and fully after six months", () =>
  write((tx) => {
    readers(tx, "BLUE", 4);
    settle(tx);
    readers(tx, "BLUE", 1, "a-post", NOW);
    const blueAt = (nowMs: number) =>
      getStandings(tx, { slug: "a-post", nowMs }).find(({ team }) => team === "BLUE")!;
    expect(blueAt(NOW)).toMatchObject({
      reads: 5,
      members: 5,
      memberTime: 4,
      readsPerMember: 1.25,
    });
    expect(blueAt(NOW + 60 * DAY_MS).memberTime).toBeCloseTo(4 + 60 / 182, 2);
    expect(blueAt(at("2027-05-23T10:00:00Z")).memberTime).toBe(5);
  }));

test("a member who comes back after more than a year is new again", () =>
  write((tx) => {
    const [id] = readers(tx, "RED", 1, "a-post", NOW - 500 * DAY_MS);
    readers(tx, "RED", 2);
    settle(tx);
    sqlOf(tx).run(`DELETE FROM "PostRead" WHERE "userId" = ? AND "postSlug" = 'old-post'`, id!);
    insertRead(tx, { userId: id!, createdAt: NOW });
    expect(getStandings(tx, { slug: null, nowMs: NOW })[0]).toMatchObject({
      team: "RED",
      members: 3,
      memberTime: 2,
    });
  }));

test("claimed reads from before the sign-up count for the team, but not toward member time", () =>
  write((tx) => {
    const { id } = insertUser(tx, { team: "RED", createdAt: NOW });
    insertRead(tx, { userId: id, createdAt: NOW - 150 * DAY_MS });
    expect(getStandings(tx, { slug: null, nowMs: NOW })[0]).toMatchObject({ reads: 1, members: 0 });
    insertRead(tx, { userId: id, postSlug: "another-post", createdAt: NOW });
    const [red] = getStandings(tx, { slug: null, nowMs: NOW + DAY_MS });
    expect(red).toMatchObject({ reads: 2, members: 1, memberTime: 1, readsPerMember: 2 });
  }));

test("tied teams are in the order of TEAMS, and none of them leads alone", () =>
  write((tx) => {
    for (const team of ["YELLOW", "BLUE", "RED"]) readers(tx, team, 2);
    settle(tx);
    expect(getStandings(tx, { slug: "a-post", nowMs: NOW }).map(({ team }) => team)).toEqual([
      "RED",
      "BLUE",
      "YELLOW",
    ]);
    expect(findLeader(tx, "a-post")).toEqual(["RED", "BLUE", "YELLOW"]);
    readers(tx, "RED", 1, "another-post");
    settle(tx);
    expect(getStandings(tx, { slug: "a-post", nowMs: NOW }).map(({ team }) => team)).toEqual([
      "BLUE",
      "YELLOW",
      "RED",
    ]);
    expect(findLeader(tx, "a-post")).toEqual(["BLUE", "YELLOW"]);
  }));

test("a post without members' reads has no leading team", () =>
  write((tx) => {
    insertRead(tx, { clientId: "anonymous", createdAt: NOW });
    expect(findLeader(tx, "a-post")).toEqual([]);
    expect(findLeader(tx, null)).toEqual([]);
    expect(mapLeadingTeams(tx, NOW)).toEqual(new Map());
  }));

test("reads count from the whole calendar day six months ago", () =>
  write((tx) => {
    readers(tx, "RED", 1, "in", at("2026-05-23T00:00:00.000Z"));
    readers(tx, "RED", 1, "out", at("2026-05-22T23:59:59.999Z"));
    expect(mapLeadingTeams(tx, NOW)).toEqual(new Map([["in", ["RED"]]]));
    expect(getStandings(tx, { slug: "out", nowMs: NOW })[0]).toEqual({
      team: "RED",
      reads: 0,
      members: 2,
      memberTime: expect.closeTo(2, 1) as number,
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
    expect(findLeader(tx, "a-post")).toEqual(["YELLOW"]);
    expect(findLeader(tx, null)).toEqual(["YELLOW"]);
    expect(getStandings(tx, { slug: null, nowMs: NOW }).find(({ team }) => team === "RED")).toEqual(
      {
        team: "RED",
        reads: 0,
        members: 0,
        memberTime: 1,
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
      expect(all.get(slug) ?? []).toEqual(findLeader(tx, slug));
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

const recordedLeads = (tx: Tx) =>
  sqlOf(tx).all<{ postSlug: string; team: string | null; tiedTeams: string }>(
    `SELECT "postSlug", "team", "tiedTeams" FROM "OwnershipChange" ORDER BY "id"`,
  );

test("a lead change is recorded once, for the post and for the site", () =>
  write((tx) => {
    expect(recordLeadChanges(tx, { slugs: ["a-post"], nowMs: NOW })).toEqual([]);
    readers(tx, "RED", 1);
    expect(recordLeadChanges(tx, { slugs: ["a-post", "a-post"], nowMs: NOW })).toEqual([
      { slug: "a-post", from: [], to: ["RED"] },
      { slug: null, from: [], to: ["RED"] },
    ]);
    expect(recordLeadChanges(tx, { slugs: ["a-post"], nowMs: NOW })).toEqual([]);
    readers(tx, "BLUE", 2);
    expect(recordLeadChanges(tx, { slugs: ["a-post"], nowMs: NOW })).toEqual([
      { slug: "a-post", from: ["RED"], to: ["BLUE"] },
      { slug: null, from: ["RED"], to: ["BLUE"] },
    ]);
    expect(recordedLeads(tx)).toEqual([
      { postSlug: "a-post", team: "RED", tiedTeams: "" },
      { postSlug: "", team: "RED", tiedTeams: "" },
      { postSlug: "a-post", team: "BLUE", tiedTeams: "" },
      { postSlug: "", team: "BLUE", tiedTeams: "" },
    ]);
  }));

test("a tie is recorded with its teams, and the end of it with the leader", () =>
  write((tx) => {
    readers(tx, "YELLOW", 1);
    readers(tx, "RED", 1);
    expect(recordLeadChanges(tx, { slugs: ["a-post"], nowMs: NOW })[0]).toEqual({
      slug: "a-post",
      from: [],
      to: ["RED", "YELLOW"],
    });
    expect(recordedLeads(tx)[0]).toEqual({
      postSlug: "a-post",
      team: null,
      tiedTeams: "RED,YELLOW",
    });
    readers(tx, "YELLOW", 1);
    expect(recordLeadChanges(tx, { slugs: ["a-post"], nowMs: NOW })[0]).toEqual({
      slug: "a-post",
      from: ["RED", "YELLOW"],
      to: ["YELLOW"],
    });
  }));

test("a lead that expires is recorded as lost", () =>
  write((tx) => {
    readers(tx, "RED", 1);
    recordLeadChanges(tx, { slugs: ["a-post"], nowMs: NOW });
    expect(recordLeadChanges(tx, { slugs: ["a-post"], nowMs: NOW + 200 * DAY_MS })).toEqual([
      { slug: "a-post", from: ["RED"], to: [] },
      { slug: null, from: ["RED"], to: [] },
    ]);
  }));

test("a write that changes a divisor records the leads of all posts", () =>
  write((tx) => {
    readers(tx, "RED", 3, "one");
    const [blue] = readers(tx, "BLUE", 2, "one");
    readers(tx, "BLUE", 1, "two");
    settle(tx);
    readers(tx, "YELLOW", 1, "three");
    recordLeadChanges(tx, { slugs: ["one"], nowMs: NOW });
    expect(recordedLeads(tx).map(({ postSlug }) => postSlug)).toEqual(
      expect.arrayContaining(["one", "two", "three"]),
    );
    // The reads of "two" and "three" stay, but Blue has one member less.
    sqlOf(tx).run(`DELETE FROM "User" WHERE "id" = ?`, blue!);
    insertRead(tx, { userId: readers(tx, "RED", 1, "four")[0]!, postSlug: "two", createdAt: NOW });
    const changes = recordLeadChanges(tx, { slugs: ["four"], nowMs: NOW });
    for (const { slug, to } of changes) expect(to).toEqual(findLeader(tx, slug));
    const recorded = new Map(recordedLeads(tx).map((row) => [row.postSlug, row]));
    for (const [slug, teams] of mapLeadingTeams(tx, NOW))
      expect(parseLead(recorded.get(slug)! as never)).toEqual(teams);
  }));
