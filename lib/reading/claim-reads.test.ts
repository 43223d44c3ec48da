import { expect, test } from "vitest";
import { insertRead, insertUser } from "#tests/support/factories.ts";
import { DAY_MS } from "#lib/core/clock.ts";
import { type Tx, read, write } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
import { claimReads } from "./claim-reads.ts";
import { findCounterMismatches } from "./rebuild-counters.sql.ts";
import { listReadSlugs } from "./read-slugs.sql.ts";
import { getSiteTotals } from "./read-totals.ts";

const NOW = Date.parse("2026-11-23T10:00:00Z");
const all = (tx: Tx) =>
  sqlOf(tx).all<{
    userId: string | null;
    clientId: string | null;
    postSlug: string;
    createdAt: number;
  }>(
    `SELECT "userId", "clientId", "postSlug", "createdAt" FROM "PostRead" ORDER BY "createdAt", "postSlug", "id"`,
  );

test("anonymous reads become the member's and keep their time", () =>
  write(async (tx) => {
    const { id: userId } = insertUser(tx);
    insertRead(tx, { clientId: "mine", postSlug: "one", createdAt: NOW });
    insertRead(tx, { clientId: "mine", postSlug: "two", createdAt: NOW + 1 });
    expect(await claimReads(tx, { clientId: "mine", userId })).toEqual({
      claimedCount: 2,
      duplicateCount: 0,
      slugs: ["one", "two"],
    });
    expect(all(tx)).toEqual([
      { userId, clientId: null, postSlug: "one", createdAt: NOW },
      { userId, clientId: null, postSlug: "two", createdAt: NOW + 1 },
    ]);
    expect(await getSiteTotals(tx)).toEqual({ reads: 2, readers: 1 });
    expect(listReadSlugs(tx, { member: { id: userId }, clientId: null })).toEqual(
      new Set(["one", "two"]),
    );
  }));

test("without an ID, nothing changes", () =>
  write(async (tx) => {
    const newest = insertUser(tx);
    const other = insertUser(tx);
    insertRead(tx, { userId: other.id, clientId: null, createdAt: NOW });
    insertRead(tx, { userId: null, clientId: null, createdAt: NOW + 1 });
    insertRead(tx, { clientId: "another-reader", createdAt: NOW + 2 });
    insertRead(tx, { clientId: "", createdAt: NOW + 3 });
    const before = all(tx);
    for (const clientId of [null, undefined, ""])
      expect(await claimReads(tx, { clientId, userId: newest.id })).toEqual({
        claimedCount: 0,
        duplicateCount: 0,
        slugs: [],
      });
    expect(all(tx)).toEqual(before);
  }));

test("other readers' reads are not claimed", () =>
  write(async (tx) => {
    const mine = insertUser(tx);
    const other = insertUser(tx);
    insertRead(tx, { userId: other.id, clientId: "shared-browser", createdAt: NOW });
    insertRead(tx, { clientId: "another", createdAt: NOW + 1 });
    insertRead(tx, { clientId: "shared-browser", createdAt: NOW + 2, postSlug: "two" });
    expect(await claimReads(tx, { clientId: "shared-browser", userId: mine.id })).toMatchObject({
      claimedCount: 1,
      duplicateCount: 0,
    });
    expect(all(tx).map(({ userId }) => userId)).toEqual([other.id, null, mine.id]);
  }));

test("a read within seven days of the member's own is deleted as a duplicate", () =>
  write(async (tx) => {
    const { id: userId } = insertUser(tx);
    insertRead(tx, { userId, createdAt: NOW });
    for (const days of [-7, -6.9, -1, 0, 1, 6.9, 7])
      insertRead(tx, { clientId: "mine", createdAt: NOW + days * DAY_MS });
    insertRead(tx, { clientId: "mine", createdAt: NOW, postSlug: "another-post" });
    expect(await claimReads(tx, { clientId: "mine", userId })).toMatchObject({
      claimedCount: 3,
      duplicateCount: 5,
    });
    expect(
      all(tx).map(({ createdAt, postSlug }) => [(createdAt - NOW) / DAY_MS, postSlug]),
    ).toEqual([
      [-7, "a-post"],
      [0, "a-post"],
      [0, "another-post"],
      [7, "a-post"],
    ]);
    expect(all(tx).every((row) => row.userId === userId)).toBe(true);
  }));

test("the oldest of several anonymous reads within seven days is kept", () =>
  write(async (tx) => {
    const { id: userId } = insertUser(tx);
    for (const days of [0, 3, 6, 8, 20])
      insertRead(tx, { clientId: "mine", createdAt: NOW + days * DAY_MS });
    expect(await claimReads(tx, { clientId: "mine", userId })).toMatchObject({
      claimedCount: 3,
      duplicateCount: 2,
    });
    expect(all(tx).map(({ createdAt }) => (createdAt - NOW) / DAY_MS)).toEqual([0, 8, 20]);
    expect(findCounterMismatches(tx)).toEqual([]);
  }));

test("claiming is idempotent, even with concurrent calls", async () => {
  const { id: userId } = await write((tx) => insertUser(tx));
  await write((tx) => {
    insertRead(tx, { clientId: "mine", createdAt: NOW });
    insertRead(tx, { clientId: "mine", createdAt: NOW + DAY_MS });
  });
  const claims = await Promise.all(
    Array.from({ length: 20 }, () => write((tx) => claimReads(tx, { clientId: "mine", userId }))),
  );
  expect(claims.filter(({ claimedCount }) => claimedCount > 0)).toEqual([
    { claimedCount: 1, duplicateCount: 1, slugs: ["a-post"] },
  ]);
  expect(await read(all)).toHaveLength(1);
});

test("an unknown member claims nothing", async () => {
  await write((tx) => void insertRead(tx, { clientId: "mine" }));
  await expect(
    write((tx) => claimReads(tx, { clientId: "mine", userId: "unknown" })),
  ).rejects.toThrow(/foreign key/i);
  expect((await read(all)).map(({ clientId }) => clientId)).toEqual(["mine"]);
});
