import { expect, test } from "vitest";
import { insertRead, insertUser } from "#tests/support/factories.ts";
import { DAY_MS, epochDay } from "#lib/core/clock.ts";
import { write } from "#lib/db/database.ts";
import { listDailyReads, listPostReads } from "./daily-reads.ts";

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
