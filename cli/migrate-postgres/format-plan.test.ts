import { expect, test } from "vitest";
import { createChoice, createNote, createBlocker } from "./plan-issue.ts";
import { formatPlan } from "./format-plan.ts";
import { KNOWN_TABLES, type TableMapping } from "./table-mapping.ts";
import type { Plan } from "./plan.ts";

const SIDE: TableMapping = {
  schema: "public",
  source: "User",
  target: "_source_User",
  key: ["id"],
  columns: [],
  isSide: true,
};
const PLAN: Plan = {
  source: {
    systemIdentifier: "1",
    database: "site",
    role: "me",
    version: "15.8",
    versionNumber: 150_008,
    encoding: "UTF8",
    isConvertible: true,
    walLevel: "logical",
    isInRecovery: false,
    isPooled: false,
    canReplicate: true,
    canCreate: true,
    ownsDatabase: true,
    canTerminateOthers: true,
    freeSlots: 3,
    freeSenders: 3,
    maxSlotMegabytes: null,
    slotDatabase: null,
    hasPublication: false,
    longWriters: 0,
    preparedTransactions: 0,
    provider: null,
    mode: "stream",
    streamObstacles: [],
    hasPartitions: false,
  },
  targetFile: "/data/site.db",
  options: { unknown: "stop", invalidRows: "stop" },
  tables: [
    { table: KNOWN_TABLES[0]!, rows: 10_000, bytes: 1_350_000, seconds: 0.02 },
    { table: KNOWN_TABLES[3]!, rows: 500_000, bytes: 58_400_000, seconds: 1.6 },
    { table: SIDE, rows: 10_000, bytes: 90_000, seconds: 300 },
  ],
  sessions: null,
  issues: [createNote("values", "Dates become whole milliseconds since 1970.")],
  time: { copySeconds: 4.6, resyncSeconds: 3 },
  diskSpace: { folder: "/data", neededBytes: 758_000_000, freeBytes: 75_000_000_000 },
};
const lines = (plan: Partial<Plan>) => formatPlan({ ...PLAN, ...plan });

test("lists source, target, tables in columns, conversions and the next step", () => {
  expect(lines({})).toEqual([
    "Source    PostgreSQL 15.8, database site, UTF8.",
    "          It can stream: changes are applied in order as they happen, and writes pause only while",
    "          the last ones are applied.",
    "Target    /data/site.db. The migration needs about 758 MB; 75,000 MB are free in /data.",
    "",
    "Table             rows      size        time",
    "User            10,000    1.4 MB   under 1 s",
    "PostRead       500,000   58.4 MB         2 s",
    "_source_User    10,000     90 kB       5 min   side table of User",
    "",
    "Total: about 5 s, including indexes, counters, checks and verification.",
    "",
    "Conversions",
    "  - Dates become whole milliseconds since 1970.",
    "",
    "Next: copy, then follow, then cutover (within days: the source retains all changes until then). Or",
    "run cutover, which does all three.",
  ]);
});

test("lists choices with their flags, and blockers with their fix unwrapped", () => {
  const open = createChoice(
    "tables",
    "User has 1 column that this site does not have: nickname (text).",
    "--unknown keep puts it into the table _source_User, as text; --unknown drop leaves it behind.",
  );
  const invalid = createChoice(
    "rows",
    "1 row of Call is invalid here: its User is missing.",
    "--invalid-rows quarantine keeps it.",
  );
  expect(lines({ issues: [open, invalid] }).slice(-7)).toEqual([
    "Choices to make",
    "  - User has 1 column that this site does not have: nickname (text).",
    "    → --unknown keep puts it into the table _source_User, as text; --unknown drop leaves it behind.",
    "  - 1 row of Call is invalid here: its User is missing.",
    "    → --invalid-rows quarantine keeps it.",
    "",
    "Next: make the choices, then run plan again with --unknown keep (or drop) --invalid-rows quarantine.",
  ]);
  const fix = `ALTER TABLE "public"."PostRead" ADD PRIMARY KEY ("id"); ${"x".repeat(80)}`;
  const stopped = lines({
    issues: [open, createBlocker("tables", "PostRead has no key.", fix)],
    options: { unknown: "stop", invalidRows: "quarantine" },
  });
  expect(stopped).toContain(`    → ${fix}`);
  expect(stopped.at(-1)).toBe("Next: resolve the blockers, then run plan again.");
  expect(
    lines({ issues: [open], options: { unknown: "stop", invalidRows: "quarantine" } }).at(-1),
  ).toBe(
    "Next: make the choices, then run plan again with --invalid-rows quarantine --unknown keep (or drop).",
  );
  expect(lines({ options: { unknown: "keep", invalidRows: "quarantine" } }).at(-2)).toMatch(
    /^Next: copy with --unknown keep --invalid-rows quarantine, then follow/,
  );
});

test("explains why a source cannot stream, and what that means", () => {
  const page = lines({
    source: {
      ...PLAN.source,
      mode: "full-resync",
      streamObstacles: ["wal_level is replica, not logical. Change it."],
    },
    time: { copySeconds: 4, resyncSeconds: 130 },
  }).join("\n");
  expect(page.replace(/\s+/g, " ")).toMatch(
    /It cannot stream .* full resyncs .* Nothing is lost, but writes pause .* about 2 min here.* - wal_level is replica, not logical\./,
  );
  expect(page).not.toContain("within days");
});
