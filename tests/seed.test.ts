// Checks that the example data look real, and can be removed.

import { expect, test } from "vitest";
import { DAY_MS, nowMs } from "#lib/core/clock.ts";
import { read, write } from "#lib/db/database.ts";
import { sumViews, sumViewsByPost } from "#lib/reading/views.ts";
import { findCounterMismatches } from "#lib/reading/rebuild-counters.sql.ts";
import { seededRandom } from "#tests/support/random.ts";
import { makeExampleReads } from "../prisma/example-reads.ts";
import { removeExampleData, seedDatabase } from "../prisma/seed.ts";

test("example reads have a weekday rhythm, and none is before its post or its reader's sign-up", () => {
  const now = Date.parse("2026-11-27T12:00:00Z");
  const posts = [
    { slug: "old", publishedMs: now - 200 * DAY_MS },
    { slug: "new", publishedMs: now - 20 * DAY_MS },
  ];
  const members = [
    { id: "a", team: "RED" as const, createdAt: now - 300 * DAY_MS },
    { id: "b", team: "BLUE" as const, createdAt: now - 30 * DAY_MS },
  ];
  const reads = makeExampleReads(posts, members, { nowMs: now, random: seededRandom(3) });
  const published = new Map(posts.map(({ slug, publishedMs }) => [slug, publishedMs]));
  const joined = new Map(members.map(({ id, createdAt }) => [id, createdAt]));
  for (const { postSlug, createdAt, userId } of reads) {
    expect(createdAt).toBeGreaterThanOrEqual(published.get(postSlug)!);
    expect(createdAt).toBeLessThanOrEqual(now);
    if (userId) expect(createdAt).toBeGreaterThanOrEqual(joined.get(userId)!);
  }
  const countOn = (...days: number[]) =>
    reads.filter(({ createdAt }) => days.includes(new Date(createdAt).getUTCDay())).length /
    days.length;
  expect(countOn(1, 2, 3, 4)).toBeGreaterThan(1.5 * countOn(0, 6));
});

test("a seeded site has lead changes in several months and two episodes, and can be emptied", async () => {
  await seedDatabase();
  const changes = await read((tx) => tx.leadChange.findMany({ where: { postSlug: "" } }));
  const months = new Set(changes.map(({ createdAt }) => createdAt.toISOString().slice(0, 7)));
  expect(months.size).toBeGreaterThan(1);
  expect(changes.every(({ createdAt }) => createdAt.getTime() <= nowMs())).toBe(true);
  expect(await read((tx) => tx.episode.count())).toBe(2);
  const views = await read((tx) => sumViewsByPost(tx, { days: 400, nowMs: nowMs() }));
  const { started, finished } = sumViews([...views.values()]);
  expect(finished).toBe(await read((tx) => tx.postRead.count()));
  expect(finished / started).toBeGreaterThan(0.2);
  expect(finished / started).toBeLessThan(0.6);
  expect(await read(findCounterMismatches)).toEqual([]);
  expect(await write(removeExampleData)).toBe(true);
  expect(await write(removeExampleData)).toBe(false);
  expect(
    await read(async (tx) => [
      await tx.user.count(),
      await tx.postRead.count(),
      await tx.episode.count(),
      await tx.leadChange.count(),
      await tx.dailyViews.count(),
    ]),
  ).toEqual([0, 0, 0, 0, 0]);
  expect(await read(findCounterMismatches)).toEqual([]);
});
