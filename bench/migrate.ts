// npm run bench -- migrate [--reads N] [--rounds N]: a whole site out of a real PostgreSQL into SQLite, beside what else a person could do to
// get the same rows there, and beside the limit: a program in C that does nothing else.

import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { measureReplication } from "./migrate/replication-rate.ts";
import type { CopyMeasurement } from "./migrate/measure-copy.ts";
import { createBaselines } from "./migrate/baselines.ts";
import { killPrograms, runProgram } from "./migrate/run-program.ts";
import { requirePrograms } from "./migrate/baseline-programs.ts";
import { median, readOption, printReport, round, printTable } from "./support/measurements.ts";
import { FULL_SIZES, createSourceSite } from "#tests/support/source-site.ts";
import { requirePostgres, startPostgres } from "#tests/support/postgres.ts";

const DIR = join(".data", "bench-migrate");
const READS = readOption("reads", FULL_SIZES.reads);
const ROUNDS = readOption("rounds", 3);
const UPSERTS = Math.min(READS, 20_000);
/** From here on the goals are those of five million reads. */
const IS_LARGE = READS >= 2_000_000;
/** db-to-sqlite and the upserts take minutes: at scale they run once. */
const SLOW_ROUNDS = IS_LARGE ? 1 : ROUNDS;

const step = (text: string) =>
  console.log(`\x1b[2m· ${round(performance.now() / 1000, 0)} s: ${text}\x1b[0m`);
const programs = requirePrograms(requirePostgres());
for (const line of programs.missing) console.log(line);

rmSync(DIR, { recursive: true, force: true });
mkdirSync(DIR, { recursive: true });
const server = await startPostgres();
let isStopping = false;
const cleanUp = async () => {
  isStopping = true;
  killPrograms();
  await server.close();
  rmSync(DIR, { recursive: true, force: true });
};
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    if (!isStopping) void cleanUp().finally(() => process.exit(130));
  });
}

try {
  await measureMigration();
} catch (error) {
  // What fails while everything is being ended fails for that.
  if (!isStopping) throw error;
} finally {
  if (!isStopping) await cleanUp();
}

async function measureMigration(): Promise<void> {
  step(`PostgreSQL ${server.version} with ${READS.toLocaleString("en")} reads`);
  const url = await server.createDatabase();
  await createSourceSite(url, { ...FULL_SIZES, reads: READS });
  const peers = await createBaselines({ url, dir: DIR, programs, reads: READS });
  const file = join(DIR, "ours.db");
  const ours = async (...flags: string[]): Promise<CopyMeasurement> => {
    const { output } = await runProgram(process.execPath, [
      ...process.execArgv,
      join("bench", "migrate", "measure-copy.ts"),
      "--url",
      url,
      "--file",
      file,
      ...flags,
    ]);
    for (const suffix of ["", "-wal", "-shm"]) rmSync(file + suffix, { force: true });
    return JSON.parse(output.trim().split("\n").at(-1)!) as CopyMeasurement;
  };

  const whole: CopyMeasurement[] = [];
  const alone: CopyMeasurement[] = [];
  const took = {
    csv: [] as { ms: number; peakMb: number }[],
    limit: [] as { ms: number; peakMb: number }[],
    dbToSqlite: [] as { ms: number; peakMb: number }[],
    upsert: [] as number[],
    upsertWal: [] as number[],
  };
  for (let i = 1; i <= ROUNDS; i += 1) {
    step(`round ${i} of ${ROUNDS}`);
    whole.push(await ours());
    took.csv.push(await peers.csv());
    alone.push(await ours("--reads-alone"));
    took.limit.push(await peers.loadInC());
    if (i > SLOW_ROUNDS) continue;
    const other = await peers.dbToSqlite();
    if (other) took.dbToSqlite.push(other);
    took.upsert.push(await peers.upsert(UPSERTS, "delete"));
    took.upsertWal.push(await peers.upsert(UPSERTS, "wal"));
  }

  step("follow");
  const followed: number[] = [];
  for (let i = 0; i < ROUNDS; i += 1) followed.push(await measureReplication(server, DIR));

  const of = <Row>(rows: readonly Row[], value: (row: Row) => number) => median(rows.map(value));
  const copied = ({ copyMs, indexesMs }: CopyMeasurement) => copyMs + indexesMs;
  const rows = FULL_SIZES.users + FULL_SIZES.sessions + FULL_SIZES.calls + READS;
  const ms = {
    copy: of(whole, ({ copyMs }) => copyMs),
    indexes: of(whole, ({ indexesMs }) => indexesMs),
    counters: of(whole, ({ countersMs }) => countersMs),
    ours: of(whole, copied),
    indexed: of(whole, (one) => copied(one) - one.countersMs),
    sums: of(whole, ({ sumMs }) => sumMs),
    verify: of(whole, ({ verifyMs }) => verifyMs),
    withSums: of(whole, (one) => copied(one) + one.sumMs),
    withVerify: of(whole, (one) => copied(one) + one.verifyMs),
    integrity: of(whole, ({ integrityMs }) => integrityMs),
    csv: of(took.csv, (one) => one.ms),
    dbToSqlite: took.dbToSqlite.length > 0 ? of(took.dbToSqlite, (one) => one.ms) : null,
    upsert: (median(took.upsert) / UPSERTS) * rows,
    upsertWal: (median(took.upsertWal) / UPSERTS) * rows,
    readsAlone: of(alone, copied),
    limit: of(took.limit, (one) => one.ms),
  };
  const mb = {
    ours: of(whole, ({ peakMb }) => peakMb),
    withVerify: of(whole, ({ peakWithVerifyMb }) => peakWithVerifyMb),
    csv: of(took.csv, (one) => one.peakMb),
    dbToSqlite: took.dbToSqlite.length > 0 ? of(took.dbToSqlite, (one) => one.peakMb) : null,
    readsAlone: of(alone, ({ peakMb }) => peakMb),
    limit: of(took.limit, (one) => one.peakMb),
  };

  const s = (value: number) => round(value / 1000);
  const whole0 = (value: number) => round(value, 0);
  console.log(
    `\n${rows.toLocaleString("en")} rows, ${FULL_SIZES.calls} of them calls of ${FULL_SIZES.callBytes / 1000} kB, medians of ${ROUNDS}:`,
  );
  printTable(
    ["", "s", "rows/s", "peak MB"],
    [
      [
        "ours: copied, indexed, counted, foreign keys checked, on the disk",
        s(ms.ours),
        whole0((rows / ms.ours) * 1000),
        whole0(mb.ours),
      ],
      ["  copy", s(ms.copy), "", ""],
      ["  indexes, counters, foreign keys", s(ms.indexes), "", ""],
      ["    counters among it", s(ms.counters), "", ""],
      ["  and every row's checksum on both sides", s(ms.withSums), "", ""],
      ["  and the whole of verify", s(ms.withVerify), "", whole0(mb.withVerify)],
      ["  integrity_check, apart", s(ms.integrity), "", ""],
      [
        "(a) psql COPY in CSV, sqlite3 .import, indexes after",
        s(ms.csv),
        whole0((rows / ms.csv) * 1000),
        whole0(mb.csv),
      ],
      ...(ms.dbToSqlite === null
        ? []
        : [
            [
              "(b) db-to-sqlite",
              s(ms.dbToSqlite),
              whole0((rows / ms.dbToSqlite) * 1000),
              whole0(mb.dbToSqlite!),
            ],
          ]),
      [
        `(c) one upsert after the other, by Prisma (from ${UPSERTS.toLocaleString("en")} of PostRead)`,
        s(ms.upsert),
        whole0((rows / ms.upsert) * 1000),
        "",
      ],
      [
        "    the same into a file in WAL mode, not synced",
        s(ms.upsertWal),
        whole0((rows / ms.upsertWal) * 1000),
        "",
      ],
      [
        "PostRead alone: ours, without counters",
        s(ms.readsAlone),
        whole0((READS / ms.readsAlone) * 1000),
        whole0(mb.readsAlone),
      ],
      [
        "PostRead alone: (d) a program in C",
        s(ms.limit),
        whole0((READS / ms.limit) * 1000),
        whole0(mb.limit),
      ],
    ],
  );
  console.log(`
(a): the same tables, keys and indexes, without the CHECKs of dates; one transaction without a journal, tables first, indexes after, 2 GB of cache. Its
dates stay texts and its nulls become '', which stand in its indexes: nothing is converted, counted, checked or compared. (b): its own tables, dates as texts, a key and the
indexes of foreign keys only.${SLOW_ROUNDS < ROUNDS ? " One run." : ""} (c): rows a second of PostRead, taken for all ${rows.toLocaleString("en")} rows; a new file as SQLite
and Prisma make it, each upsert on the disk. (d): COPY in text, sorted, dates as numbers, one row at a time into the same table, the same two indexes. PostgreSQL's own memory is nobody's here.
`);

  const ratios: [name: string, value: number | null, goal: string][] = [
    ["copied and indexed, as (a) is, ÷ (a)", ms.indexed / ms.csv, IS_LARGE ? "≤ 0.5" : "≤ 0.65"],
    ["ours, with its counters, ÷ (a)", ms.ours / ms.csv, ""],
    ["ours with checksums ÷ (a)", ms.withSums / ms.csv, "≤ 1"],
    ["ours with all of verify ÷ (a)", ms.withVerify / ms.csv, ""],
    ["(b) ÷ ours", ms.dbToSqlite === null ? null : ms.dbToSqlite / ms.ours, "≥ 10"],
    ["(c) ÷ ours, extrapolated", ms.upsert / ms.ours, "≥ 150"],
    ["(c) in WAL mode ÷ ours, extrapolated", ms.upsertWal / ms.ours, ""],
    ["PostRead alone, ours ÷ (d)", ms.readsAlone / ms.limit, IS_LARGE ? "≤ 1.5" : ""],
    ["peak MB", mb.withVerify, IS_LARGE ? "≤ 250" : ""],
    ["follow: row changes a second", median(followed), "≥ 20,000"],
  ];
  const known = ratios
    .filter((row): row is [string, number, string] => row[1] !== null)
    .map(([name, value, goal]): [string, number, string] => [
      name,
      round(value, value > 20 ? 0 : 2),
      goal,
    ]);
  printTable(["", "", "goal"], known);
  console.log("");
  printReport("migrate", Object.fromEntries(known.map(([name, value]) => [name, value])), {
    reads: READS,
    rounds: ROUNDS,
    postgres: server.version,
    ms: roundValues(ms),
    peakMb: roundValues(mb),
  });
}

function roundValues(values: Record<string, number | null>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) =>
      value === null ? [] : [[name, round(value, 0)]],
    ),
  );
}
