import { expect, test } from "vitest";
import { insertRead, insertUser } from "#tests/support/factories.ts";
import { DAY_MS, epochDay } from "#lib/core/clock.ts";
import { write } from "#lib/db/database.ts";
import {
  compareWithPrevious,
  formatDailyReadsCsv,
  listDailyReads,
  listPostReads,
} from "./daily-reads.ts";

const NOW = Date.parse("2026-11-23T23:59:00Z");

test("counts reads per UTC day and team, for the site and for one post", () =>
  write(async (tx) => {
    const red = insertUser(tx, { team: "RED" });
    insertRead(tx, { userId: red.id, postSlug: "a", createdAt: NOW });
    insertRead(tx, { userId: red.id, postSlug: "b", createdAt: NOW });
    insertRead(tx, { postSlug: "a", createdAt: NOW - DAY_MS });
    const today = epochDay(NOW);
    expect(await listDailyReads(tx, { slug: null, days: 3, nowMs: NOW })).toEqual([
      { day: today - 2, total: 0, byTeam: {} },
      { day: today - 1, total: 1, byTeam: { UNKNOWN: 1 } },
      { day: today, total: 2, byTeam: { RED: 2 } },
    ]);
    expect(await listDailyReads(tx, { slug: "a", days: 2, nowMs: NOW })).toEqual([
      { day: today - 1, total: 1, byTeam: { UNKNOWN: 1 } },
      { day: today, total: 1, byTeam: { RED: 1 } },
    ]);
  }));

test("leaves out reads before the first day and after today", () =>
  write(async (tx) => {
    for (const createdAt of [NOW - 2 * DAY_MS, NOW + DAY_MS])
      insertRead(tx, { postSlug: "a", createdAt });
    expect(
      (await listDailyReads(tx, { slug: null, days: 2, nowMs: NOW })).map(({ total }) => total),
    ).toEqual([0, 0]);
    expect(await listDailyReads(tx, { slug: "unknown", days: 1, nowMs: NOW })).toMatchObject([
      { total: 0 },
    ]);
  }));

test("counts each post's reads, all and recent", () =>
  write(async (tx) => {
    for (const [postSlug, daysAgo] of [
      ["a", 0],
      ["a", 10],
      ["b", 10],
      ["c", 1],
      ["c", 2],
      ["c", 3],
    ] as const)
      insertRead(tx, { postSlug, createdAt: NOW - daysAgo * DAY_MS });
    expect(await listPostReads(tx, { days: 3, nowMs: NOW })).toEqual([
      { slug: "c", reads: 3, recent: 2 },
      { slug: "a", reads: 2, recent: 1 },
      { slug: "b", reads: 1, recent: 0 },
    ]);
  }));

test("counts the reads of more posts than a query can have parameters", () =>
  write(async (tx) => {
    for (let i = 0; i < 1_100; i++) insertRead(tx, { postSlug: `post-${i}`, createdAt: NOW });
    const posts = await listPostReads(tx, { days: 3, nowMs: NOW });
    expect(posts.filter(({ recent }) => recent === 1)).toHaveLength(1_100);
  }));

const daysOf = (...totals: number[]) => totals.map((total, day) => ({ day, total, byTeam: {} }));

test("a period is compared with the one before", () => {
  expect(compareWithPrevious(daysOf(2, 2, 5, 1))).toBe("50% more than in the previous 2 days");
  expect(compareWithPrevious(daysOf(4, 4, 1, 1))).toBe("75% fewer than in the previous 2 days");
  expect(compareWithPrevious(daysOf(3, 1, 1, 3))).toBe("About as many as in the previous 2 days");
  expect(compareWithPrevious(daysOf(1, 1, 4, 3))).toBe("3 times as many as in the previous 2 days");
  expect(compareWithPrevious(daysOf(0, 0, 1, 3))).toBeNull();
});

test("the CSV has a row per day, and quotes the names of teams", () => {
  const day = epochDay(NOW);
  expect(
    formatDailyReadsCsv(
      [{ day, total: 3, byTeam: { RED: 1, UNKNOWN: 2 } }],
      [
        { key: "RED", name: 'The "Reds", really' },
        { key: "BLUE", name: "Blue" },
        { key: "UNKNOWN", name: "Guests" },
      ],
    ),
  ).toBe('"Day (UTC)","The ""Reds"", really","Blue","Guests","All"\r\n"2026-11-23",1,0,2,3\r\n');
});
