// Property test: after random histories, the triggers' counters, rebuilt counters and a naive
// computation must agree.

import { expect, test } from "vitest";
import { insertRead, insertUser } from "#tests/support/factories.ts";
import { fuzzCount, seededRandom } from "#tests/support/random.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, epochDay, subtractMonths } from "#lib/core/clock.ts";
import { type Tx, write } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
import { claimReads } from "./claim-reads.ts";
import { findCounterMismatches, rebuildCounters } from "./rebuild-counters.sql.ts";
import { recordRead } from "./record-read.ts";
import { issueDwellToken } from "./dwell-token.ts";
import { listReadSlugs } from "./read-slugs.sql.ts";
import { getPostTotals, getSiteTotals } from "./read-totals.ts";
import { recordLeadChanges } from "./lead-changes.ts";
import { mapLeadingTeams, getStandings } from "./standings.ts";
import { TEAMS } from "./team.ts";

const SEEDS = fuzzCount(10);
const STRICT_SEEDS = fuzzCount(3);
const OPERATIONS = 400;
const START = Date.parse("2025-01-15T12:00:00Z");
const POSTS = ["a-post", "b-post", "c-post", "d.e/f"];
const BROWSERS = ["browser-1", "browser-2", "browser-3", "browser-4", "browser-5"];
const TABLES = [
  "PostTotal",
  "PostTeamDay",
  "SiteTotal",
  "MemberLastRead",
  "TeamActiveDay",
  "TeamActiveSince",
];

function random(seed: number) {
  const next = seededRandom(seed);
  const below = (n: number) => Math.floor(next() * n);
  return { next, below, pick: <T>(from: readonly T[]): T => from[below(from.length)] as T };
}
type Random = ReturnType<typeof random>;

interface Row {
  id: string;
  createdAt: number;
  userId: string | null;
  clientId: string | null;
  postSlug: string;
}
const rowsOf = (tx: Tx) =>
  sqlOf(tx).all<Row>(
    `SELECT "id", "createdAt", "userId", "clientId", "postSlug" FROM "PostRead" ORDER BY "rowid"`,
  );
const usersOf = (tx: Tx) =>
  sqlOf(tx).all<{ id: string; team: string; createdAt: number }>(
    `SELECT "id", "team", "createdAt" FROM "User" ORDER BY "rowid"`,
  );

/** Computes the expected results naively from the rows. */
function naive(tx: Tx, nowMs: number) {
  const rows = rowsOf(tx);
  const teamOf = new Map(usersOf(tx).map(({ id, team }) => [id, team]));
  const readsFrom = epochDay(subtractMonths(nowMs, 6));
  const activeFrom = epochDay(subtractMonths(nowMs, 12));
  const today = epochDay(nowMs);
  const windowDays = today - readsFrom;
  const active = usersOf(tx).flatMap((user) => {
    const days = rows
      .filter(({ userId }) => userId === user.id)
      .map(({ createdAt }) => epochDay(createdAt))
      .filter((day) => day >= epochDay(user.createdAt))
      .sort((a, b) => a - b);
    if ((days.at(-1) ?? -1) < activeFrom) return [];
    const start = days.findLast((day, i) => i === 0 || day - days[i - 1]! > 365)!;
    return [{ team: user.team, days: Math.min(windowDays, today - start) }];
  });
  const standing = (slug: string | null) =>
    TEAMS.map((team, order) => {
      const reads = rows.filter(
        ({ userId, postSlug, createdAt }) =>
          userId !== null &&
          teamOf.get(userId) === team &&
          (slug === null || postSlug === slug) &&
          epochDay(createdAt) >= readsFrom,
      ).length;
      const members = active.filter((member) => member.team === team);
      const divisorDays = Math.max(
        windowDays,
        members.reduce((sum, { days }) => sum + days, 0),
      );
      return {
        team,
        reads,
        members: members.length,
        memberTime: divisorDays / windowDays,
        readsPerMember: (reads * windowDays) / divisorDays,
        order,
      };
    })
      .sort((a, b) => b.readsPerMember - a.readsPerMember || a.order - b.order)
      .map(({ order: _, ...rest }) => rest);
  const bySlug = new Map<string, number>();
  for (const { postSlug } of rows) bySlug.set(postSlug, (bySlug.get(postSlug) ?? 0) + 1);
  const leading = POSTS.map((slug) => {
    const [best, ...others] = standing(slug);
    const tied = others.filter(({ readsPerMember }) => readsPerMember === best!.readsPerMember);
    return [slug, [best!, ...tied].map(({ team }) => team), best!.readsPerMember] as const;
  }).filter(([, , ratio]) => ratio > 0);
  return {
    totals: {
      reads: rows.length,
      readers: new Set(
        rows
          .map(({ userId, clientId }) =>
            userId !== null
              ? `member ${userId}`
              : clientId !== null
                ? `anonymous ${clientId}`
                : null,
          )
          .filter((key) => key !== null),
      ).size,
    },
    postTotals: Object.fromEntries([...bySlug].sort()),
    standings: [null, ...POSTS].map(standing),
    leaders: Object.fromEntries(leading.map(([slug, teams]) => [slug, teams])),
  };
}

async function told(tx: Tx, nowMs: number) {
  return {
    totals: await getSiteTotals(tx),
    postTotals: Object.fromEntries([...(await getPostTotals(tx))].sort()),
    standings: [null, ...POSTS].map((slug) => getStandings(tx, { slug, nowMs })),
    leaders: Object.fromEntries([...mapLeadingTeams(tx, nowMs)].sort()),
  };
}

const dump = (tx: Tx) =>
  Object.fromEntries(
    TABLES.map((table) => [
      table,
      sqlOf(tx)
        .all<Record<string, unknown>>(`SELECT * FROM "${table}"`)
        .map((row) => JSON.stringify(row))
        .sort(),
    ]),
  );

/** Performs a random event. Returns the time until the next one. */
async function happen(tx: Tx, r: Random, nowMs: number, isStrict: boolean): Promise<number> {
  const user = r.pick([null, ...usersOf(tx)]);
  const row = r.pick([null, ...rowsOf(tx)]);
  const clientId = r.pick(BROWSERS);
  const postSlug = r.pick(POSTS);
  const what = r.next();
  if (what < 0.35) {
    const token = issueDwellToken({ slug: postSlug, nowMs: nowMs - HOUR_MS });
    const { isCounted } = recordRead(tx, {
      token,
      slug: postSlug,
      member: r.next() < 0.6 ? user : null,
      clientId: r.pick([clientId, null]),
      readingMinutes: 3,
      nowMs,
    });
    if (isCounted) recordLeadChanges(tx, { slugs: [postSlug], nowMs });
  } else if (what < 0.5) {
    // Rows that a migration can import: with both IDs or neither, out of order, within a week of
    // each other.
    const createdAt = nowMs - r.below(500) * DAY_MS - r.below(DAY_MS);
    if (!isStrict)
      insertRead(tx, {
        createdAt,
        postSlug,
        userId: r.pick([null, user?.id ?? null]),
        clientId: r.pick([null, clientId]),
      });
  } else if (what < 0.6) {
    if (user)
      await claimReads(tx, {
        clientId: r.pick([clientId, clientId, null, "", "unknown"]),
        userId: user.id,
      });
  } else if (what < 0.66) {
    if (row) sqlOf(tx).run(`DELETE FROM "PostRead" WHERE "id" = ?`, row.id);
  } else if (what < 0.7) {
    if (!isStrict)
      sqlOf(tx).run(
        `DELETE FROM "PostRead" WHERE "postSlug" = ? AND "createdAt" < ?`,
        postSlug,
        nowMs - 200 * DAY_MS,
      );
  } else if (what < 0.76) {
    if (row && !isStrict) {
      sqlOf(tx).run(
        `UPDATE "PostRead" SET "createdAt" = ?, "postSlug" = ?, "userId" = ?, "clientId" = ? WHERE "id" = ?`,
        r.pick([row.createdAt, nowMs - r.below(400) * DAY_MS]),
        r.pick([row.postSlug, postSlug]),
        r.pick([row.userId, user?.id ?? null]),
        r.pick([row.clientId, clientId, null]),
        row.id,
      );
    }
  } else if (what < 0.82) {
    insertUser(tx, {
      team: r.pick(TEAMS),
      createdAt: nowMs - r.pick([0, 0, 20, 300, 800]) * DAY_MS,
    });
  } else if (what < 0.87) {
    if (user)
      sqlOf(tx).run(
        `UPDATE "User" SET "team" = ?, "firstName" = 'Grace' WHERE "id" = ?`,
        r.pick(TEAMS),
        user.id,
      );
  } else if (what < 0.9) {
    if (user) sqlOf(tx).run(`DELETE FROM "User" WHERE "id" = ?`, user.id);
  } else {
    return r.pick([MINUTE_MS, HOUR_MS, DAY_MS, 7 * DAY_MS, 30 * DAY_MS, 100 * DAY_MS]) * r.next();
  }
  return 0;
}

async function live(
  tx: Tx,
  seed: number,
  isStrict: boolean,
  check: (tx: Tx, nowMs: number) => Promise<void>,
): Promise<void> {
  const r = random(seed);
  let nowMs = START + r.below(365) * DAY_MS + r.below(DAY_MS);
  for (let i = 0; i < OPERATIONS; i++) {
    nowMs += Math.round(await happen(tx, r, nowMs, isStrict));
    if (i % 20 === 19) await check(tx, nowMs);
  }
}

for (let seed = 1; seed <= SEEDS; seed++) {
  test(`counters, a rebuild and plain counting agree through history ${seed}`, () =>
    write(async (tx) => {
      await live(tx, seed, false, async (tx, nowMs) => {
        const right = naive(tx, nowMs);
        expect(await told(tx, nowMs)).toEqual(right);
        expect(findCounterMismatches(tx)).toEqual([]);
        const maintained = dump(tx);
        expect(rebuildCounters(tx)).toEqual(right.totals);
        expect(dump(tx)).toEqual(maintained);
      });
      expect(rowsOf(tx).length).toBeGreaterThan(10);
    }));
}

for (let seed = 1; seed <= STRICT_SEEDS; seed++) {
  test(`no reader's reads of a post are within seven days of each other in history ${seed}`, () =>
    write(async (tx) => {
      await live(tx, 1_000 + seed, true, async (tx, nowMs) => {
        const last = new Map<string, number>();
        for (const { userId, clientId, postSlug, createdAt } of rowsOf(tx).sort(
          (a, b) => a.createdAt - b.createdAt,
        )) {
          const key = `${userId ?? clientId} ${postSlug}`;
          expect(createdAt - (last.get(key) ?? -Infinity)).toBeGreaterThanOrEqual(7 * DAY_MS);
          last.set(key, createdAt);
        }
        for (const user of usersOf(tx)) {
          expect(listReadSlugs(tx, { member: user, clientId: null })).toEqual(
            new Set(
              rowsOf(tx)
                .filter(({ userId }) => userId === user.id)
                .map(({ postSlug }) => postSlug),
            ),
          );
        }
        expect(await told(tx, nowMs)).toEqual(naive(tx, nowMs));
      });
    }));
}

test("a wrong counter is detected and repaired", () =>
  write((tx) => {
    const { id } = insertUser(tx, { createdAt: START });
    insertRead(tx, { userId: id, createdAt: START });
    insertRead(tx, { clientId: "browser-1", postSlug: "b-post", createdAt: START });
    const right = dump(tx);
    sqlOf(tx).run(`UPDATE "PostTotal" SET "reads" = 7 WHERE "postSlug" = 'a-post'`);
    sqlOf(tx).run(`DELETE FROM "PostTeamDay" WHERE "postSlug" = 'b-post'`);
    sqlOf(tx).run(`UPDATE "SiteTotal" SET "readers" = 9`);
    sqlOf(tx).run(`INSERT INTO "TeamActiveDay" VALUES ('BLUE', 1, 1)`);
    sqlOf(tx).run(`UPDATE "TeamActiveDay" SET "members" = 0 WHERE "team" = 'RED'`);
    expect(findCounterMismatches(tx)).toEqual([
      {
        table: "PostTeamDay",
        key: `b-post ${epochDay(START)} UNKNOWN`,
        stored: null,
        computed: "1",
      },
      { table: "PostTotal", key: "a-post", stored: "7", computed: "1" },
      { table: "SiteTotal", key: "1", stored: "2 by 9", computed: "2 by 2" },
      { table: "TeamActiveDay", key: "BLUE 1", stored: "1", computed: null },
      { table: "TeamActiveDay", key: `RED ${epochDay(START)}`, stored: "0", computed: "1" },
    ]);
    expect(rebuildCounters(tx)).toEqual({ reads: 2, readers: 2 });
    expect(dump(tx)).toEqual(right);
    expect(findCounterMismatches(tx)).toEqual([]);
  }));

test("a rebuild restores a missing SiteTotal row", () =>
  write(async (tx) => {
    sqlOf(tx).run(`DELETE FROM "SiteTotal"`);
    expect(await getSiteTotals(tx)).toEqual({ reads: 0, readers: 0 });
    rebuildCounters(tx);
    expect(findCounterMismatches(tx)).toEqual([]);
  }));

test("a member's ID can't change", () =>
  write((tx) => {
    const { id } = insertUser(tx);
    expect(() => sqlOf(tx).run(`UPDATE "User" SET "id" = 'other' WHERE "id" = ?`, id)).toThrow(
      "The id of a member never changes.",
    );
  }));

test("a read needs a slug: the empty one is the whole site", () =>
  write((tx) => {
    expect(() => insertRead(tx, { postSlug: "" })).toThrow(/CHECK/);
  }));
