import { expect, test } from "vitest";
import { insertRead, insertUser } from "#tests/support/factories.ts";
import { DAY_MS } from "#lib/core/clock.ts";
import type { Sql } from "#lib/db/connection.ts";
import { readSql, writeSql } from "#lib/db/database.ts";
import { claimReads } from "./claim-reads.ts";
import { findCounterMismatches } from "./rebuild-counters.ts";
import { listReadSlugs, getSiteTotals } from "./read-totals.ts";

const NOW = Date.parse("2026-11-23T10:00:00Z");
const all = (sql: Sql) =>
  sql.all<{ userId: string | null; clientId: string | null; postSlug: string; createdAt: number }>(
    `SELECT "userId", "clientId", "postSlug", "createdAt" FROM "PostRead" ORDER BY "createdAt", "postSlug", "id"`,
  );

test("anonymous reads become the member's and keep their time", () =>
  writeSql((sql) => {
    const { id: userId } = insertUser(sql);
    insertRead(sql, { clientId: "mine", postSlug: "one", createdAt: NOW });
    insertRead(sql, { clientId: "mine", postSlug: "two", createdAt: NOW + 1 });
    expect(claimReads(sql, { clientId: "mine", userId })).toEqual({
      claimedCount: 2,
      duplicateCount: 0,
      slugs: ["one", "two"],
    });
    expect(all(sql)).toEqual([
      { userId, clientId: null, postSlug: "one", createdAt: NOW },
      { userId, clientId: null, postSlug: "two", createdAt: NOW + 1 },
    ]);
    expect(getSiteTotals(sql)).toEqual({ reads: 2, readers: 1 });
    expect(listReadSlugs(sql, { member: { id: userId }, clientId: null })).toEqual(
      new Set(["one", "two"]),
    );
  }));

test("without an ID, nothing changes", () =>
  writeSql((sql) => {
    const newest = insertUser(sql);
    const other = insertUser(sql);
    insertRead(sql, { userId: other.id, clientId: null, createdAt: NOW });
    insertRead(sql, { userId: null, clientId: null, createdAt: NOW + 1 });
    insertRead(sql, { clientId: "somebody", createdAt: NOW + 2 });
    insertRead(sql, { clientId: "", createdAt: NOW + 3 });
    const before = all(sql);
    for (const clientId of [null, undefined, ""])
      expect(claimReads(sql, { clientId, userId: newest.id })).toEqual({
        claimedCount: 0,
        duplicateCount: 0,
        slugs: [],
      });
    expect(all(sql)).toEqual(before);
  }));

test("other readers' reads are not claimed", () =>
  writeSql((sql) => {
    const mine = insertUser(sql);
    const other = insertUser(sql);
    insertRead(sql, { userId: other.id, clientId: "shared-browser", createdAt: NOW });
    insertRead(sql, { clientId: "another", createdAt: NOW + 1 });
    insertRead(sql, { clientId: "shared-browser", createdAt: NOW + 2, postSlug: "two" });
    expect(claimReads(sql, { clientId: "shared-browser", userId: mine.id })).toMatchObject({
      claimedCount: 1,
      duplicateCount: 0,
    });
    expect(all(sql).map(({ userId }) => userId)).toEqual([other.id, null, mine.id]);
  }));

test("a read within seven days of the member's own is deleted as a duplicate", () =>
  writeSql((sql) => {
    const { id: userId } = insertUser(sql);
    insertRead(sql, { userId, createdAt: NOW });
    for (const days of [-7, -6.9, -1, 0, 1, 6.9, 7])
      insertRead(sql, { clientId: "mine", createdAt: NOW + days * DAY_MS });
    insertRead(sql, { clientId: "mine", createdAt: NOW, postSlug: "another-post" });
    expect(claimReads(sql, { clientId: "mine", userId })).toMatchObject({
      claimedCount: 3,
      duplicateCount: 5,
    });
    expect(
      all(sql).map(({ createdAt, postSlug }) => [(createdAt - NOW) / DAY_MS, postSlug]),
    ).toEqual([
      [-7, "a-post"],
      [0, "a-post"],
      [0, "another-post"],
      [7, "a-post"],
    ]);
    expect(all(sql).every((row) => row.userId === userId)).toBe(true);
  }));

test("the oldest of several anonymous reads within seven days is kept", () =>
  writeSql((sql) => {
    const { id: userId } = insertUser(sql);
    for (const days of [0, 3, 6, 8, 20])
      insertRead(sql, { clientId: "mine", createdAt: NOW + days * DAY_MS });
    expect(claimReads(sql, { clientId: "mine", userId })).toMatchObject({
      claimedCount: 3,
      duplicateCount: 2,
    });
    expect(all(sql).map(({ createdAt }) => (createdAt - NOW) / DAY_MS)).toEqual([0, 8, 20]);
    expect(findCounterMismatches(sql)).toEqual([]);
  }));

test("claiming is idempotent, even with concurrent calls", async () => {
  const { id: userId } = await writeSql((sql) => insertUser(sql));
  await writeSql((sql) => {
    insertRead(sql, { clientId: "mine", createdAt: NOW });
    insertRead(sql, { clientId: "mine", createdAt: NOW + DAY_MS });
  });
  const claims = await Promise.all(
    Array.from({ length: 20 }, () =>
      writeSql((sql) => claimReads(sql, { clientId: "mine", userId })),
    ),
  );
  expect(claims.filter(({ claimedCount }) => claimedCount > 0)).toEqual([
    { claimedCount: 1, duplicateCount: 1, slugs: ["a-post"] },
  ]);
  expect(await readSql(all)).toHaveLength(1);
});

test("an unknown member claims nothing", async () => {
  await writeSql((sql) => void insertRead(sql, { clientId: "mine" }));
  await expect(
    writeSql((sql) => claimReads(sql, { clientId: "mine", userId: "unknown" })),
  ).rejects.toThrow(/FOREIGN KEY/);
  expect((await readSql(all)).map(({ clientId }) => clientId)).toEqual(["mine"]);
});
