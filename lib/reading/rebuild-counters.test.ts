// Property test: after random histories the triggers' counters, rebuilt counters and a plain
// computation must agree.

import { expect, test } from "vitest";
import { insertRead, insertUser } from "#tests/support/factories.ts";
import { seededRandom } from "#tests/support/random.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, epochDay, subtractMonths } from "#lib/core/clock.ts";
import type { Sql } from "#lib/db/connection.ts";
import { writeSql } from "#lib/db/database.ts";
import { claimReads } from "./claim-reads.ts";
import { findCounterMismatches, rebuildCounters } from "./rebuild-counters.ts";
import { recordRead } from "./record-read.ts";
import { issueDwellToken } from "./dwell-token.ts";
import { listMostReadSlugs, getPostTotals, listReadSlugs, getSiteTotals } from "./read-totals.ts";
import { recordLeadChanges } from "./lead-changes.ts";
import { mapLeadingTeams, getStandings } from "./standings.ts";
import { TEAMS } from "./team.ts";

const SEEDS = 40;
const OPERATIONS = 400;
const START = Date.parse("2025-01-15T12:00:00Z");
const POSTS = ["a-post", "b-post", "c-post", "d.e/f"];
const BROWSERS = ["browser-1", "browser-2", "browser-3", "browser-4", "browser-5"];
const TABLES = ["PostTotal", "PostTeamDay", "SiteTotal", "MemberLastRead", "TeamActiveDay"];

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
const rowsOf = (sql: Sql) =>
  sql.all<Row>(
    `SELECT "id", "createdAt", "userId", "clientId", "postSlug" FROM "PostRead" ORDER BY "rowid"`,
  );
const usersOf = (sql: Sql) =>
  sql.all<{ id: string; team: string }>(`SELECT "id", "team" FROM "User" ORDER BY "rowid"`);

/** Computes the expected results from the rows alone, in the plainest way. */
function naive(sql: Sql, nowMs: number) {
  const rows = rowsOf(sql);
  const teamOf = new Map(usersOf(sql).map(({ id, team }) => [id, team]));
  const readsFrom = epochDay(subtractMonths(nowMs, 6));
  const activeFrom = epochDay(subtractMonths(nowMs, 12));
  const standing = (slug: string | null) =>
    TEAMS.map((team, order) => {
      const own = rows.filter(({ userId }) => userId !== null && teamOf.get(userId) === team);
      const reads = own.filter(
        ({ postSlug, createdAt }) =>
          (slug === null || postSlug === slug) && epochDay(createdAt) >= readsFrom,
      ).length;
      const members = new Set(
        own
          .filter(({ createdAt }) => epochDay(createdAt) >= activeFrom)
          .map(({ userId }) => userId),
      ).size;
      return { team, reads, members, readsPerMember: members === 0 ? 0 : reads / members, order };
    })
      .sort((a, b) => b.readsPerMember - a.readsPerMember || a.order - b.order)
      .map(({ order: _, ...rest }) => rest);
  const bySlug = new Map<string, number>();
  for (const { postSlug } of rows) bySlug.set(postSlug, (bySlug.get(postSlug) ?? 0) + 1);
  const leading = POSTS.map((slug) => [slug, standing(slug)[0]] as const).filter(
    ([, best]) => best !== undefined && best.readsPerMember > 0,
  );
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
    mostRead: [...bySlug].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([slug]) => slug),
    standings: [null, ...POSTS].map(standing),
    leaders: Object.fromEntries(leading.map(([slug, best]) => [slug, best?.team])),
  };
}

function told(sql: Sql, nowMs: number): ReturnType<typeof naive> {
  return {
    totals: getSiteTotals(sql),
    postTotals: Object.fromEntries([...getPostTotals(sql)].sort()),
    mostRead: listMostReadSlugs(sql, 100),
    standings: [null, ...POSTS].map((slug) => getStandings(sql, { slug, nowMs })),
    leaders: Object.fromEntries([...mapLeadingTeams(sql, nowMs)].sort()),
  };
}

const dump = (sql: Sql) =>
  Object.fromEntries(
    TABLES.map((table) => [
      table,
      sql
        .all<Record<string, unknown>>(`SELECT * FROM "${table}"`)
        .map((row) => JSON.stringify(row))
        .sort(),
    ]),
  );

/** Performs a random event. Returns how much time passes after it. */
function happen(sql: Sql, r: Random, nowMs: number, isStrict: boolean): number {
  const user = r.pick([null, ...usersOf(sql)]);
  const row = r.pick([null, ...rowsOf(sql)]);
  const clientId = r.pick(BROWSERS);
  const postSlug = r.pick(POSTS);
  const what = r.next();
  if (what < 0.35) {
    const token = issueDwellToken({ slug: postSlug, nowMs: nowMs - HOUR_MS });
    const { isCounted } = recordRead(sql, {
      token,
      slug: postSlug,
      member: r.next() < 0.6 ? user : null,
      clientId: r.pick([clientId, null]),
      readingMinutes: 3,
      nowMs,
    });
    if (isCounted) recordLeadChanges(sql, { slugs: [postSlug], nowMs });
  } else if (what < 0.5) {
    // Rows as a migration may bring them: with both ids or none, out of order, within a week of
    // each other.
    const createdAt = nowMs - r.below(500) * DAY_MS - r.below(DAY_MS);
    if (!isStrict)
      insertRead(sql, {
        createdAt,
        postSlug,
        userId: r.pick([null, user?.id ?? null]),
        clientId: r.pick([null, clientId]),
      });
  } else if (what < 0.6) {
    if (user)
      claimReads(sql, {
        clientId: r.pick([clientId, clientId, null, "", "unknown"]),
        userId: user.id,
      });
  } else if (what < 0.66) {
    if (row) sql.run(`DELETE FROM "PostRead" WHERE "id" = ?`, row.id);
  } else if (what < 0.7) {
    if (!isStrict)
      sql.run(
        `DELETE FROM "PostRead" WHERE "postSlug" = ? AND "createdAt" < ?`,
        postSlug,
        nowMs - 200 * DAY_MS,
      );
  } else if (what < 0.76) {
    if (row && !isStrict) {
      sql.run(
        `UPDATE "PostRead" SET "createdAt" = ?, "postSlug" = ?, "userId" = ?, "clientId" = ? WHERE "id" = ?`,
        r.pick([row.createdAt, nowMs - r.below(400) * DAY_MS]),
        r.pick([row.postSlug, postSlug]),
        r.pick([row.userId, user?.id ?? null]),
        r.pick([row.clientId, clientId, null]),
        row.id,
      );
    }
  } else if (what < 0.82) {
    insertUser(sql, { team: r.pick(TEAMS) });
  } else if (what < 0.87) {
    if (user)
      sql.run(
        `UPDATE "User" SET "team" = ?, "firstName" = 'Grace' WHERE "id" = ?`,
        r.pick(TEAMS),
        user.id,
      );
  } else if (what < 0.9) {
    if (user) sql.run(`DELETE FROM "User" WHERE "id" = ?`, user.id);
  } else {
    return r.pick([MINUTE_MS, HOUR_MS, DAY_MS, 7 * DAY_MS, 30 * DAY_MS, 100 * DAY_MS]) * r.next();
  }
  return 0;
}

function live(
  sql: Sql,
  seed: number,
  isStrict: boolean,
  check: (sql: Sql, nowMs: number) => void,
): void {
  const r = random(seed);
  let nowMs = START + r.below(365) * DAY_MS + r.below(DAY_MS);
  for (let i = 0; i < OPERATIONS; i++) {
    nowMs += Math.round(happen(sql, r, nowMs, isStrict));
    if (i % 20 === 19) check(sql, nowMs);
  }
}

for (let seed = 1; seed <= SEEDS; seed++) {
  test(`counters, a rebuild and plain counting agree through history ${seed}`, () =>
    writeSql((sql) => {
      live(sql, seed, false, (sql, nowMs) => {
        const right = naive(sql, nowMs);
        expect(told(sql, nowMs)).toEqual(right);
        expect(findCounterMismatches(sql)).toEqual([]);
        const maintained = dump(sql);
        expect(rebuildCounters(sql)).toEqual(right.totals);
        expect(dump(sql)).toEqual(maintained);
      });
      expect(rowsOf(sql).length).toBeGreaterThan(10);
    }));
}

for (let seed = 1; seed <= 10; seed++) {
  test(`no reader's reads of a post are within seven days of each other in history ${seed}`, () =>
    writeSql((sql) => {
      live(sql, 1_000 + seed, true, (sql, nowMs) => {
        const last = new Map<string, number>();
        for (const { userId, clientId, postSlug, createdAt } of rowsOf(sql).sort(
          (a, b) => a.createdAt - b.createdAt,
        )) {
          const key = `${userId ?? clientId} ${postSlug}`;
          expect(createdAt - (last.get(key) ?? -Infinity)).toBeGreaterThanOrEqual(7 * DAY_MS);
          last.set(key, createdAt);
        }
        for (const user of usersOf(sql)) {
          expect(listReadSlugs(sql, { member: user, clientId: null })).toEqual(
            new Set(
              rowsOf(sql)
                .filter(({ userId }) => userId === user.id)
                .map(({ postSlug }) => postSlug),
            ),
          );
        }
        expect(told(sql, nowMs)).toEqual(naive(sql, nowMs));
      });
    }));
}

test("a wrong counter is found and repaired", () =>
  writeSql((sql) => {
    const { id } = insertUser(sql);
    insertRead(sql, { userId: id, createdAt: START });
    insertRead(sql, { clientId: "browser-1", postSlug: "b-post", createdAt: START });
    const right = dump(sql);
    sql.run(`UPDATE "PostTotal" SET "reads" = 7 WHERE "postSlug" = 'a-post'`);
    sql.run(`DELETE FROM "PostTeamDay" WHERE "postSlug" = 'b-post'`);
    sql.run(`UPDATE "SiteTotal" SET "readers" = 9`);
    sql.run(`INSERT INTO "TeamActiveDay" VALUES ('BLUE', 1, 1)`);
    sql.run(`UPDATE "TeamActiveDay" SET "members" = 0 WHERE "team" = 'RED'`);
    expect(findCounterMismatches(sql)).toEqual([
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
    expect(rebuildCounters(sql)).toEqual({ reads: 2, readers: 2 });
    expect(dump(sql)).toEqual(right);
    expect(findCounterMismatches(sql)).toEqual([]);
  }));

test("a rebuild restores a missing SiteTotal row", () =>
  writeSql((sql) => {
    sql.run(`DELETE FROM "SiteTotal"`);
    expect(getSiteTotals(sql)).toEqual({ reads: 0, readers: 0 });
    rebuildCounters(sql);
    expect(findCounterMismatches(sql)).toEqual([]);
  }));

test("a member's id never changes", () =>
  writeSql((sql) => {
    const { id } = insertUser(sql);
    expect(() => sql.run(`UPDATE "User" SET "id" = 'other' WHERE "id" = ?`, id)).toThrow(
      "The id of a member never changes.",
    );
  }));

test("a read needs a slug: the empty one is the whole site", () =>
  writeSql((sql) => {
    expect(() => insertRead(sql, { postSlug: "" })).toThrow(/CHECK/);
  }));
