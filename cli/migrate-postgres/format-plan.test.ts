import { expect, test } from "vitest";
import { createChoice, createNote, createBlocker } from "./plan-issue.ts";
import { formatPlan } from "./format-plan.ts";
import { KNOWN_TABLES, type TableMapping } from "./table-mapping.ts";
import type { Plan } from "./plan.ts";

const SIDE: TableMapping = {
  schema: "public",
  source: "User",
  target: "Moved_User",
  key: ["id"],
  columns: [],
  isSide: true,
};
const PLAN: Plan = {
  source: {
    system: "1",
    database: "site",
    role: "me",
    version: "15.8",
    versionNumber: 150_008,
    encoding: "UTF8",
    isConvertible: true,
    walLevel: "logical",
    isInRecovery: false,
    isPooled: false,
    isSuperuser: false,
    mayReplicate: true,
    mayCreate: true,
    ownsDatabase: true,
    mayEndOthers: true,
    freeSlots: 3,
    freeSenders: 3,
    keptMegabytes: null,
    slotOf: null,
    hasPublication: false,
    longWriters: 0,
    prepared: 0,
    provider: null,
    mode: "stream",
    whyPasses: [],
    hasPartitions: false,
  },
  to: "/data/site.db",
  choices: { unknown: "stop", unfit: "stop" },
  tables: [
    { table: KNOWN_TABLES[0]!, rows: 10_000, bytes: 1_350_000, seconds: 0.02 },
    { table: KNOWN_TABLES[3]!, rows: 500_000, bytes: 58_400_000, seconds: 1.6 },
    { table: SIDE, rows: 10_000, bytes: 90_000, seconds: 300 },
  ],
  sessions: null,
  findings: [createNote("values", "Dates become whole milliseconds since 1970.")],
  time: { copySeconds: 4.6, passSeconds: 3 },
  room: { folder: "/data", neededBytes: 758_000_000, freeBytes: 75_000_000_000 },
};
const lines = (plan: Partial<Plan>) => formatPlan({ ...PLAN, ...plan });

test("a plan is a page: what it is, what moves in columns, what becomes of it, what to do next", () => {
  expect(lines({})).toEqual([
    "Source    PostgreSQL 15.8, database site, UTF8.",
    "          It can stream: what is written while the move goes on comes over as it happens, in its",
    "          order, and writes pause only for the last of it.",
    "Target    /data/site.db. The move wants about 758 MB; 75,000 MB are free in /data.",
    "",
    "Moves           rows        about       takes",
    "User          10,000         1 MB   under 1 s",
    "PostRead     500,000        58 MB         2 s",
    "Moved_User    10,000   under 1 MB       5 min   a side table, of User",
    "",
    "In all about 5 s, with indexes, counters, checks and the comparison of every row.",
    "",
    "Converted on the way",
    "  - Dates become whole milliseconds since 1970.",
    "",
    "Next: copy; then follow as long as you like (not for days: the source keeps for it what is written),",
    "and cutover. Or cutover at once, which does all three.",
  ]);
});

test("what there is to decide comes with its flags, what is in the way with its remedy in one piece", () => {
  const open = createChoice(
    "tables",
    "User has 1 column that this site does not have: nickname (text).",
    "--unknown keep puts it into the table Moved_User, as text; --unknown drop leaves it behind.",
  );
  const unfit = createChoice(
    "rows",
    "1 row of Call can't be taken as it is: its User is not there.",
    "--unfit aside keeps it.",
  );
  expect(lines({ findings: [open, unfit] }).slice(-7)).toEqual([
    "To be decided",
    "  - User has 1 column that this site does not have: nickname (text).",
    "    → --unknown keep puts it into the table Moved_User, as text; --unknown drop leaves it behind.",
    "  - 1 row of Call can't be taken as it is: its User is not there.",
    "    → --unfit aside keeps it.",
    "",
    "Next: decide, then run plan again with --unknown keep (or drop) --unfit aside.",
  ]);
  const fix = `ALTER TABLE "public"."PostRead" ADD PRIMARY KEY ("id"); ${"x".repeat(80)}`;
  const stopped = lines({
    findings: [open, createBlocker("tables", "PostRead has no key.", fix)],
    choices: { unknown: "stop", unfit: "aside" },
  });
  expect(stopped).toContain(`    → ${fix}`);
  expect(stopped.at(-1)).toBe("Next: change what is in the way, then run plan again.");
  expect(lines({ findings: [open], choices: { unknown: "stop", unfit: "aside" } }).at(-1)).toBe(
    "Next: decide, then run plan again with --unfit aside --unknown keep (or drop).",
  );
  expect(lines({ choices: { unknown: "keep", unfit: "aside" } }).at(-2)).toMatch(
    /^Next: copy with --unknown keep --unfit aside; then follow/,
  );
});

test("a source that can't stream: what that means, and why", () => {
  const page = lines({
    source: {
      ...PLAN.source,
      mode: "passes",
      whyPasses: ["wal_level is replica, not logical. Change it."],
    },
    time: { copySeconds: 4, passSeconds: 130 },
  }).join("\n");
  expect(page.replace(/\s+/g, " ")).toMatch(
    /It can't stream .* by passes: .* Nothing is lost\. But writes pause .* about 2 min here, and what came and went between two passes is never seen\. .* - wal_level is replica, not logical\./,
  );
  expect(page).not.toContain("not for days");
});
