// Renders the tables about migrations, with both sizes side by side, from docs/benchmarks.json.

import { type Reports, findGoal, numbersOf } from "./goals.ts";
import { bold, cell, markdownTable } from "./markdown-table.ts";

const SIZES = ["migrate", "migrate-large"] as const;

/** Returns seconds with three digits, such as 0.67, 18.8 or 5,394. */
function seconds(ms: number | undefined): string {
  if (ms === undefined) return "";
  const value = ms / 1_000;
  return cell(value < 100 ? Number(value.toPrecision(3)) : Math.round(value));
}

const PROGRAMS: readonly [name: string, ms: string, peakMb?: string][] = [
  ["**ours: copied, indexed, counted, foreign keys checked, synced**", "ours", "ours"],
  ["of which: the counters of reads", "counters"],
  ["and every row’s checksum on both sides", "withSums", "withVerify"],
  ["`integrity_check`, separate", "integrity"],
  ["(a) `psql COPY` in CSV into `sqlite3 .import`", "csv", "csv"],
  ["(b) `db-to-sqlite`", "dbToSqlite", "dbToSqlite"],
  ["(c) one upsert at a time through Prisma, extrapolated from 20,000", "upsert"],
  ["the same into a file in WAL mode, not synced", "upsertWal"],
  ["PostRead alone: ours, without counters", "readsAlone", "readsAlone"],
  ["PostRead alone: (d) a program in C", "limit", "limit"],
];

export function migrateTimes(reports: Reports): string {
  return markdownTable(
    ["seconds", "500,000 reads", "peak MB", "5,000,000 reads", "peak MB"],
    PROGRAMS.map(([name, time, memory]) => [
      name,
      ...SIZES.flatMap((bench) => {
        const { ms, peakMb } = numbersOf(reports, bench);
        const text = seconds(ms[time]);
        return [time === "ours" ? bold(text) : text, memory && peakMb[memory]];
      }),
    ]),
  );
}

const RATIOS: readonly [name: string, from: string][] = [
  ["copied and indexed ÷ (a)", "copied and indexed, as (a) is, ÷ (a)"],
  ["with the counters of reads, which (a) does not have, ÷ (a)", "ours, with its counters, ÷ (a)"],
  ["the same with checksums ÷ (a)", "ours with checksums ÷ (a)"],
  ["(b) ÷ ours, counters included", "(b) ÷ ours"],
  ["(c) ÷ ours", "(c) ÷ ours, extrapolated"],
  ["PostRead alone, ours ÷ (d)", "PostRead alone, ours ÷ (d)"],
  ["peak memory, MB", "peak MB"],
  [
    "row changes a second that `follow` applies, with counters, batches synced",
    "follow: row changes a second",
  ],
];

export const migrateRatios = (reports: Reports): string =>
  markdownTable(
    ["ratio", "goal", "500,000", "goal", "5,000,000"],
    RATIOS.map(([name, from]) => [
      name,
      ...SIZES.flatMap((bench) => [
        findGoal(bench, from).replace(" MB", ""),
        reports[bench]!.ratios[from],
      ]),
    ]),
  );
