import { afterEach, expect, test } from "vitest";
import { DAY_MS, HOUR_MS, epochDay, subtractMonths, setClock } from "#lib/core/clock.ts";
import { clearCacheMemory } from "#lib/cache/define-cache.ts";
import { read, write } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
import { insertRead, insertUser } from "#tests/support/factories.ts";
import { seededRandom } from "#tests/support/random.ts";
import {
  computeStandingsHistory,
  getStandingsHistory,
  getCurrentStandings,
  refreshStandingsHistory,
} from "./standings-history.ts";
import { getStandings } from "./standings.ts";
import { TEAMS } from "./team.ts";

/** A Wednesday. */
const NOW = Date.parse("2026-11-25T10:00:00Z");
const iso = (day: number) => new Date(day * DAY_MS).toISOString().slice(0, 10);
const at = (text: string) => Date.parse(text);

afterEach(clearCacheMemory);

test("weeks end on past Sundays, up to the latest", async () => {
  const days = async (now: string) =>
    (await computeStandingsHistory({ weeks: 3, nowMs: at(now) })).map(({ day }) => iso(day));
  expect(await days("2026-11-25T10:00:00Z")).toEqual(["2026-11-08", "2026-11-15", "2026-11-22"]);
  expect(await days("2026-11-22T23:59:59.999Z")).toEqual([
    "2026-11-01",
    "2026-11-08",
    "2026-11-15",
  ]);
  expect(await days("2026-11-23T00:00:00.000Z")).toEqual([
    "2026-11-08",
    "2026-11-15",
    "2026-11-22",
  ]);
});

test("each week matches a plain count of all reads", async () => {
  for (const seed of [1, 2, 3]) {
    const next = seededRandom(seed);
    const reads: { userId: string | null; createdAt: number }[] = [];
    const users: { id: string; team: string; createdAt: number }[] = [];
    await write((tx) => {
      sqlOf(tx).run(`DELETE FROM "User"`);
      // More than one batch.
      for (let i = 0; i < 280; i++)
        users.push(
          insertUser(tx, {
            team: TEAMS[Math.floor(next() * 3)]!,
            createdAt: NOW - Math.floor(next() * 900) * DAY_MS,
          }),
        );
      for (let i = 0; i < 1_200; i++) {
        const userId = next() < 0.7 ? users[Math.floor(next() * users.length)]!.id : null;
        const createdAt = NOW - Math.floor(next() * 800 * DAY_MS);
        reads.push({ userId, createdAt });
        insertRead(tx, { userId, createdAt, postSlug: `post-${i % 7}` });
      }
    });
    const history = await computeStandingsHistory({ weeks: 26, nowMs: NOW });
    expect(history).toHaveLength(26);
    for (const { day, teams } of history) {
      const end = (day + 1) * DAY_MS - 1;
      const within = (months: number, createdAt: number) =>
        epochDay(createdAt) >= epochDay(subtractMonths(end, months)) && createdAt <= end;
      const windowDays = day - epochDay(subtractMonths(end, 6));
      for (const { team, ...counted } of teams) {
        const own = users.filter((user) => user.team === team);
        const daysOf = ({ id, createdAt }: (typeof users)[number]) =>
          reads
            .filter((row) => row.userId === id && row.createdAt <= end)
            .map((row) => epochDay(row.createdAt))
            .filter((readDay) => readDay >= epochDay(createdAt))
            .sort((a, b) => a - b);
        const active = own.map(daysOf).filter((days) => {
          const last = days.at(-1);
          return last !== undefined && within(12, last * DAY_MS);
        });
        const memberDays = active
          .map((days) => days.findLast((start, i) => i === 0 || start - days[i - 1]! > 365)!)
          .reduce((sum, start) => sum + Math.min(windowDays, day - start), 0);
        const ids = new Set(own.map(({ id }) => id));
        const expectedReads = reads.filter(
          ({ userId, createdAt }) => userId !== null && ids.has(userId) && within(6, createdAt),
        ).length;
        expect([iso(day), team, counted]).toEqual([
          iso(day),
          team,
          {
            reads: expectedReads,
            members: active.length,
            memberTime: memberDays / windowDays,
            readsPerMember: (expectedReads * windowDays) / memberDays,
          },
        ]);
      }
    }
  }
});

test("a week matches the standings at its end", async () => {
  const weeks = await write((tx) => {
    const users = TEAMS.map((team) => insertUser(tx, { team, createdAt: 0 }));
    const taken: unknown[] = [];
    for (let i = 0; i < 40; i++) {
      insertRead(tx, {
        userId: users[i % 3]!.id,
        createdAt: at("2026-10-01T12:00:00Z") + i * DAY_MS,
      });
      const end = at("2026-10-01T23:59:59.999Z") + i * DAY_MS;
      if (new Date(end).getUTCDay() === 0)
        taken.push({
          day: epochDay(end),
          teams: TEAMS.map((team) =>
            getStandings(tx, { slug: null, nowMs: end }).find((standing) => standing.team === team),
          ),
        });
    }
    return taken;
  });
  const history = await computeStandingsHistory({ weeks: 26, nowMs: NOW });
  expect(weeks.length).toBeGreaterThan(4);
  expect(history).toEqual(expect.arrayContaining(weeks));
});

test("without reads, every week is zero", async () => {
  const history = await computeStandingsHistory({ weeks: 26, nowMs: NOW });
  expect(
    history
      .flatMap(({ teams }) =>
        teams.map(({ reads, members, readsPerMember }) => [reads, members, readsPerMember]),
      )
      .every((numbers) => numbers.every((number) => number === 0)),
  ).toBe(true);
});

test("the history is cached for a day", async () => {
  setClock(NOW);
  await getStandingsHistory(NOW);
  await write((tx) =>
    insertRead(tx, { userId: insertUser(tx, { team: "BLUE" }).id, createdAt: NOW - 20 * DAY_MS }),
  );
  const blue = async (nowMs: number) =>
    (await getStandingsHistory(nowMs)).at(-1)?.teams.find(({ team }) => team === "BLUE")?.reads;
  expect(await blue(NOW)).toBe(0);
  setClock(NOW + 25 * HOUR_MS);
  // Stale while revalidating.
  await blue(NOW + 25 * HOUR_MS);
  await expect.poll(() => blue(NOW + 25 * HOUR_MS)).toBe(1);
});

test("after a refresh, deleted reads are gone from the history", async () => {
  setClock(NOW);
  const { id } = await write((tx) => {
    const user = insertUser(tx, { team: "RED" });
    insertRead(tx, { userId: user.id, createdAt: NOW - 20 * DAY_MS });
    return user;
  });
  const red = async () =>
    (await getStandingsHistory(NOW)).at(-1)!.teams.find(({ team }) => team === "RED")!.reads;
  await refreshStandingsHistory(NOW);
  const before = await red();
  await write((tx) => {
    sqlOf(tx).run(`DELETE FROM "User" WHERE "id" = ?`, id);
  });
  expect(await red()).toBe(before);
  await refreshStandingsHistory(NOW);
  expect(await red()).toBe(before - 1);
});

test("an aborted computation stops between batches", async () => {
  const abort = new AbortController();
  abort.abort(new Error("enough"));
  await expect(
    computeStandingsHistory({ weeks: 26, nowMs: NOW, signal: abort.signal }),
  ).rejects.toThrow("enough");
});

test("the current standings are in the order of TEAMS", async () => {
  await write((tx) =>
    insertRead(tx, {
      userId: insertUser(tx, { team: "YELLOW", createdAt: NOW }).id,
      createdAt: NOW,
    }),
  );
  expect(await read((tx) => getCurrentStandings(tx, NOW))).toEqual({
    day: epochDay(NOW),
    teams: [
      { team: "RED", reads: 0, members: 0, memberTime: 1, readsPerMember: 0 },
      { team: "BLUE", reads: 0, members: 0, memberTime: 1, readsPerMember: 0 },
      { team: "YELLOW", reads: 1, members: 1, memberTime: 1, readsPerMember: 1 },
    ],
  });
});
