// Measures the migration of a whole site from a real PostgreSQL to SQLite, compared with other
// tools and a minimal C program:
// npm run bench -- migrate

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
/** At this size, the goals for five million reads apply. */
const IS_LARGE = READS >= 2_000_000;
/** db-to-sqlite and the upserts take minutes, so they run once at scale. */
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
  // Ignores errors that the shutdown causes.
  if (!isStopping) throw error;
} finally {
  if (!isStopping) await cleanUp();
}

async function measureMigration(): Promise<void> {
  step(`PostgreSQL ${server.version} with ${READS.toLocaleString("en")} reads`);
  const url = await server.createDatabase();
  await createSourceSite(url, { ...FULL_SIZES, reads: READS });
  const baselines = await createBaselines({ url, dir: DIR, programs, reads: READS });
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

  const wholeSite: CopyMeasurement[] = [];
  const readsOnly: CopyMeasurement[] = [];
  const results = {
    csv: [] as { ms: number; peakMb: number }[],
    limit: [] as { ms: number; peakMb: number }[],
    dbToSqlite: [] as { ms: number; peakMb: number }[],
    upsert: [] as number[],
    upsertWal: [] as number[],
  };
  for (let i = 1; i <= ROUNDS; i += 1) {
    step(`round ${i} of ${ROUNDS}`);
    wholeSite.push(await ours());
    results.csv.push(await baselines.csv());
    readsOnly.push(await ours("--reads-alone"));
    results.limit.push(await baselines.loadInC());
    if (i > SLOW_ROUNDS) continue;
    const dbToSqlite = await baselines.dbToSqlite();
    if (dbToSqlite) results.dbToSqlite.push(dbToSqlite);
    results.upsert.push(await baselines.upsert(UPSERTS, "delete"));
    results.upsertWal.push(await baselines.upsert(UPSERTS, "wal"));
  }

  step("follow");
  const followed: number[] = [];
  for (let i = 0; i < ROUNDS; i += 1) followed.push(await measureReplication(server, DIR));

  const of = <Row>(rows: readonly Row[], value: (row: Row) => number) => median(rows.map(value));
  const copied = ({ copyMs, indexesMs }: CopyMeasurement) => copyMs + indexesMs;
  const rows = FULL_SIZES.users + FULL_SIZES.sessions + FULL_SIZES.calls + READS;
  const ms = {
    copy: of(wholeSite, ({ copyMs }) => copyMs),
    indexes: of(wholeSite, ({ indexesMs }) => indexesMs),
    counters: of(wholeSite, ({ countersMs }) => countersMs),
    ours: of(wholeSite, copied),
    indexed: of(wholeSite, (one) => copied(one) - one.countersMs),
    sums: of(wholeSite, ({ sumMs }) => sumMs),
    verify: of(wholeSite, ({ verifyMs }) => verifyMs),
    withSums: of(wholeSite, (one) => copied(one) + one.sumMs),
    withVerify: of(wholeSite, (one) => copied(one) + one.verifyMs),
    integrity: of(wholeSite, ({ integrityMs }) => integrityMs),
    csv: of(results.csv, (one) => one.ms),
    dbToSqlite: results.dbToSqlite.length > 0 ? of(results.dbToSqlite, (one) => one.ms) : null,
    upsert: (median(results.upsert) / UPSERTS) * rows,
    upsertWal: (median(results.upsertWal) / UPSERTS) * rows,
    readsAlone: of(readsOnly, copied),
    limit: of(results.limit, (one) => one.ms),
  };
  const mb = {
    ours: of(wholeSite, ({ peakMb }) => peakMb),
    withVerify: of(wholeSite, ({ peakWithVerifyMb }) => peakWithVerifyMb),
    csv: of(results.csv, (one) => one.peakMb),
    dbToSqlite: results.dbToSqlite.length > 0 ? of(results.dbToSqlite, (one) => one.peakMb) : null,
    readsAlone: of(readsOnly, ({ peakMb }) => peakMb),
    limit: of(results.limit, (one) => one.peakMb),
  };

  const s = (value: number) => round(value / 1000);
  const integer = (value: number) => round(value, 0);
  console.log(
    `\n${rows.toLocaleString("en")} rows, ${FULL_SIZES.calls} of them calls of ${FULL_SIZES.callBytes / 1000} kB, medians of ${ROUNDS}:`,
  );
  printTable(
    ["", "s", "rows/s", "peak MB"],
    [
      [
        "ours: copied, indexed, counted, foreign keys checked, synced",
        s(ms.ours),
        integer((rows / ms.ours) * 1000),
        integer(mb.ours),
      ],
      ["  copy", s(ms.copy), "", ""],
      ["  indexes, counters, foreign keys", s(ms.indexes), "", ""],
      ["    of these, counters", s(ms.counters), "", ""],
      ["  and every row's checksum on both sides", s(ms.withSums), "", ""],
      ["  and the whole of verify", s(ms.withVerify), "", integer(mb.withVerify)],
      ["  integrity_check, separately", s(ms.integrity), "", ""],
      [
        "(a) psql COPY in CSV, sqlite3 .import, indexes after",
        s(ms.csv),
        integer((rows / ms.csv) * 1000),
        integer(mb.csv),
      ],
      ...(ms.dbToSqlite === null
        ? []
        : [
            [
              "(b) db-to-sqlite",
              s(ms.dbToSqlite),
              integer((rows / ms.dbToSqlite) * 1000),
              integer(mb.dbToSqlite!),
            ],
          ]),
      [
        `(c) sequential upserts with Prisma (from ${UPSERTS.toLocaleString("en")} reads)`,
        s(ms.upsert),
        integer((rows / ms.upsert) * 1000),
        "",
      ],
      [
        "    the same in WAL mode, not synced",
        s(ms.upsertWal),
        integer((rows / ms.upsertWal) * 1000),
        "",
      ],
      [
        "PostRead alone: ours, without counters",
        s(ms.readsAlone),
        integer((READS / ms.readsAlone) * 1000),
        integer(mb.readsAlone),
      ],
      [
        "PostRead alone: (d) a program in C",
        s(ms.limit),
        integer((READS / ms.limit) * 1000),
        integer(mb.limit),
      ],
    ],
  );
  console.log(`
(a): the same tables, keys and indexes, without CHECKs of dates; one transaction without a journal, tables first, indexes after, 2 GB of cache. Dates
stay texts and nulls become ''; nothing is converted, counted, checked or compared. (b): its own tables, dates as texts, keys, and indexes of foreign
keys only.${SLOW_ROUNDS < ROUNDS ? " One run." : ""} (c): reads per second, extrapolated to all ${rows.toLocaleString("en")} rows; a new file as SQLite and Prisma create it, each upsert
synced. (d): COPY in text, sorted, dates as numbers, one row at a time into the same table with the same two indexes. PostgreSQL's memory is not counted.
`);

  const ratios: Record<string, number | null> = {
    "copied and indexed, as (a) is, ÷ (a)": ms.indexed / ms.csv,
    "ours, with its counters, ÷ (a)": ms.ours / ms.csv,
    "ours with checksums ÷ (a)": ms.withSums / ms.csv,
    "ours with all of verify ÷ (a)": ms.withVerify / ms.csv,
    "(b) ÷ ours": ms.dbToSqlite === null ? null : ms.dbToSqlite / ms.ours,
    "(c) ÷ ours, extrapolated": ms.upsert / ms.ours,
    "(c) in WAL mode ÷ ours, extrapolated": ms.upsertWal / ms.ours,
    "PostRead alone, ours ÷ (d)": ms.readsAlone / ms.limit,
    "peak MB": mb.withVerify,
    "follow: row changes a second": median(followed),
  };
  const measuredRatios = Object.fromEntries(
    Object.entries(ratios).flatMap(([name, value]) =>
      value === null ? [] : [[name, round(value, value > 20 ? 0 : 2)]],
    ),
  );
  printTable(["", ""], Object.entries(measuredRatios));
  console.log("");
  printReport(IS_LARGE ? "migrate-large" : "migrate", measuredRatios, {
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
