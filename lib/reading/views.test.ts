import { expect, test } from "vitest";
import { DAY_MS, epochDay } from "#lib/core/clock.ts";
import { read, write } from "#lib/db/database.ts";
import { insertRead, insertUser } from "#tests/support/factories.ts";
import { execute, selectRows } from "#tests/support/database.ts";
import { MAX_NAMED_ROWS_PER_DAY, VIEWS_KEPT_DAYS, countView } from "./count-view.sql.ts";
import { hasRecentRead } from "./record-read.sql.ts";
import {
  exportViewsCsv,
  findFirstViewDay,
  formatCompletion,
  formatReferrer,
  listReferrers,
  sumViewsByPost,
} from "./views.ts";

const NOW = Date.parse("2026-11-23T23:59:00Z");
const TODAY = epochDay(NOW);
const count = (step: "started" | "finished", slug: string, host = "", nowMs = NOW) =>
  write((tx) => countView(tx, { step, slug, host, nowMs }));
const rows = () =>
  selectRows(
    `SELECT "day" - ? AS "age", "postSlug", "host", "started", "finished" FROM "DailyViews"`,
    TODAY,
  );

test("a day has one row per post and referrer, whatever order views start and finish in", async () => {
  for (const step of ["started", "finished", "started"] as const) await count(step, "a", "t.co");
  await count("finished", "b");
  await count("started", "a", "t.co", NOW - DAY_MS);
  expect(await rows()).toEqual([
    { age: -1, postSlug: "a", host: "t.co", started: 1, finished: 0 },
    { age: 0, postSlug: "a", host: "t.co", started: 2, finished: 1 },
    { age: 0, postSlug: "b", host: "", started: 0, finished: 1 },
  ]);
});

test("thousands of hosts become one row, and known hosts go on counting", async () => {
  await write((tx) => {
    for (let i = 0; i < MAX_NAMED_ROWS_PER_DAY + 2_000; i++)
      countView(tx, { step: "started", slug: "a", host: `h${i}.example`, nowMs: NOW });
    countView(tx, { step: "finished", slug: "a", host: "h7.example", nowMs: NOW });
    countView(tx, { step: "finished", slug: "b", host: "new.example", nowMs: NOW });
    countView(tx, { step: "finished", slug: "b", host: "", nowMs: NOW });
  });
  const all = (await rows()) as { postSlug: string; host: string; started: number }[];
  expect(all.length).toBe(MAX_NAMED_ROWS_PER_DAY + 3);
  expect(all.filter(({ host }) => host === "other")).toEqual([
    { age: 0, postSlug: "a", host: "other", started: 2_000, finished: 0 },
    { age: 0, postSlug: "b", host: "other", started: 0, finished: 1 },
  ]);
  expect(all).toContainEqual({
    age: 0,
    postSlug: "a",
    host: "h7.example",
    started: 1,
    finished: 1,
  });
  // The limit is per day.
  await count("started", "a", "new.example", NOW + DAY_MS);
  expect(await rows()).toContainEqual(
    expect.objectContaining({ age: 1, host: "new.example", started: 1 }),
  );
});

test("new rows delete those of more than two years ago", async () => {
  for (let i = 0; i < 6; i++)
    await count("started", `old-${i}`, "", NOW - VIEWS_KEPT_DAYS * DAY_MS);
  await count("started", "kept", "", NOW - (VIEWS_KEPT_DAYS - 1) * DAY_MS);
  for (const slug of ["a", "b"]) await count("started", slug);
  expect((await rows()).map((row) => (row as { postSlug: string }).postSlug)).toEqual([
    "kept",
    "a",
    "b",
  ]);
});

test("a reader has a recent read for seven days, of the same post only", () =>
  write((tx) => {
    const member = insertUser(tx);
    insertRead(tx, { userId: member.id, postSlug: "a", createdAt: NOW });
    insertRead(tx, { clientId: "guest", postSlug: "a", createdAt: NOW });
    // Claimed at a login: the member's, and no longer the browser's.
    insertRead(tx, { userId: member.id, clientId: "claimed", postSlug: "a", createdAt: NOW });
    const has = (memberId: string | null, clientId: string | null, slug = "a", nowMs = NOW) =>
      hasRecentRead(tx, { member: memberId ? { id: memberId } : null, clientId, slug, nowMs });
    expect([has(member.id, null), has(null, "guest")]).toEqual([true, true]);
    expect([
      has(null, null),
      has(null, "another"),
      has(null, "claimed"),
      has(member.id, null, "b"),
      has(null, "guest", "a", NOW + 7 * DAY_MS),
    ]).toEqual([false, false, false, false, false]);
  }));

test("the database refuses counts that the site could not have made", async () => {
  const insert = (values: string) =>
    execute(
      `INSERT INTO "DailyViews" ("day", "postSlug", "host", "started", "finished") VALUES (${values})`,
    );
  for (const values of [
    `'x', 'a', '', 0, 0`,
    `1, 'a', '${"x".repeat(101)}', 0, 0`,
    `1, 'a', '', -1, 0`,
    `1, 'a', '', 0, -1`,
  ])
    await expect(insert(values), values).rejects.toThrow(/CHECK/);
});

async function insertViews() {
  await execute(
    `INSERT INTO "DailyViews" ("day", "postSlug", "host", "started", "finished") VALUES
      (${TODAY}, 'a', 't.co', 10, 4), (${TODAY}, 'a', '', 5, 5), (${TODAY - 1}, 'a', 't.co', 2, 0),
      (${TODAY}, 'b', 'other', 7, 1), (${TODAY - 90}, 'a', 't.co', 100, 100),
      (${TODAY + 1}, 'a', 't.co', 1, 1)`,
  );
}

test("sums a period by post and by referrer", async () => {
  expect(await read(findFirstViewDay)).toBeNull();
  await insertViews();
  await read(async (tx) => {
    const period = { days: 90, nowMs: NOW };
    expect(await findFirstViewDay(tx)).toBe(TODAY - 90);
    expect(await sumViewsByPost(tx, period)).toEqual(
      new Map([
        ["a", { started: 17, finished: 9 }],
        ["b", { started: 7, finished: 1 }],
      ]),
    );
    expect(await listReferrers(tx, { ...period, slug: null, limit: 9 })).toEqual([
      { host: "", started: 5, finished: 5 },
      { host: "t.co", started: 12, finished: 4 },
      { host: "other", started: 7, finished: 1 },
    ]);
    expect(await listReferrers(tx, { ...period, slug: "a", limit: 1 })).toEqual([
      { host: "", started: 5, finished: 5 },
    ]);
    expect(await listReferrers(tx, { ...period, slug: "unknown", limit: 9 })).toEqual([]);
  });
});

test("the CSV has a row per day, post and referrer", async () => {
  await insertViews();
  expect(await read((tx) => exportViewsCsv(tx, { slug: "a", days: 2, nowMs: NOW }))).toBe(
    [
      '"Day (UTC)","Post","Referrer","Started","Finished"',
      '"2026-11-23","a","Direct or internal",5,5',
      '"2026-11-23","a","t.co",10,4',
      '"2026-11-22","a","t.co",2,0',
      "",
    ].join("\r\n"),
  );
});

test("completion is the share of started views that finished, and never above 100%", () => {
  expect(
    [
      [0, 0],
      [0, 3],
      [3, 1],
      [3, 3],
      [2, 3],
      [1_000, 1],
    ].map(([started = 0, finished = 0]) => formatCompletion({ started, finished })),
  ).toEqual(["–", "–", "33%", "100%", "100%", "0%"]);
  expect(["", "other", "t.co"].map(formatReferrer)).toEqual([
    "Direct or internal",
    "Other",
    "t.co",
  ]);
});
