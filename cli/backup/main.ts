// Creates, lists, verifies and restores backups: npm run backup -- create | list | verify | restore
// | drill.

import { existsSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { exitWithUsage, parseCommandLine } from "#cli/command-line.ts";
import { env } from "#lib/core/env.ts";
import { formatBytes, pluralize } from "#lib/core/format.ts";
import { currentInstance } from "#lib/core/instance.ts";
import { importDatabase } from "#lib/replication/import-database.ts";
import { fetchLitefsNodeState } from "#lib/replication/litefs-node-state.ts";
import {
  type Archive,
  findTimeline,
  listSegments,
  listSnapshots,
  listTimelines,
} from "#server/backup/archive.ts";
import { createBackup } from "#server/backup/create-backup.ts";
import { runDrill } from "#server/backup/drill.ts";
import { openArchive } from "#server/backup/open-archive.ts";
import { planRestore } from "#server/backup/plan-restore.ts";
import { type RestoreResult, restoreDatabase } from "#server/backup/restore.ts";
import { verifyArchive } from "#server/backup/verify.ts";

process.env.LOG_LEVEL ??= "error"; // keeps the output free of log lines

/** The file from which the site starts. In a cluster, the site imports it. */
const defaultFile = env.REPLICATION
  ? join(env.DATA_DIR, basename(env.DATABASE_FILE))
  : env.DATABASE_FILE;

const usage = `Usage: npm run backup -- create | list | verify | restore | drill

Uses the backup in BACKUP_BUCKET (.env.example). The site may be running.
  create               stores a snapshot now, in addition to the continuous backup; in a cluster, on the primary
  list                 prints what is stored, and the range of times you can restore to
  verify [--all]       reads, decrypts and checks what the newest state needs, or everything
  restore [--at TIME]  writes the newest state, or that at TIME, to a file
    --at TIME          such as 2026-11-29T10:15:30Z; times without a zone are UTC
    --to FILE          default: ${defaultFile}, from which the site starts
    --replace          keeps an existing file as FILE.before-restore-TIME; stop the site first
    --import           replaces the database of the running cluster; on the primary
  drill                restores into a scratch file and compares it with the live database
Exit codes: 0 success, 1 the backup is damaged or the command failed, 2 wrong usage.`;

const { flags, words } = parseCommandLine(
  usage,
  {
    at: { type: "string" },
    to: { type: "string" },
    replace: { type: "boolean", default: false },
    import: { type: "boolean", default: false },
    all: { type: "boolean", default: false },
  },
  { words: true },
);

const formatTime = (timeMs: number): string => `${new Date(timeMs).toISOString().slice(0, 19)}Z`;

async function create(archive: Archive): Promise<void> {
  console.log(`A snapshot of ${formatTime(await createBackup(archive))} is stored.`);
}

async function list(archive: Archive): Promise<void> {
  let earliestMs: number | null = null;
  for (const id of await listTimelines(archive)) {
    const info = await findTimeline(archive, id);
    const snapshots = await listSnapshots(archive, id);
    const segments = await listSegments(archive, id, 0);
    const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
    earliestMs ??= snapshots[0]?.timeMs ?? null;
    const start = info?.parent ? `continues ${info.parent.timeline}` : "starts with a snapshot";
    console.log(`${id}  ${start}`);
    for (const { timeMs, txid } of snapshots)
      console.log(`  snapshot ${formatTime(timeMs)}  transaction ${txid}`);
    const last = segments.at(-1);
    if (last)
      console.log(
        `  transactions ${segments[0]!.minTxid} to ${last.maxTxid}, the last at ${formatTime(last.timeMs)}: ${segments.length} objects, ${formatBytes(bytes)}`,
      );
  }
  const newest = await planRestore(archive);
  if (!newest || earliestMs === null) console.log("There is no backup yet.");
  else
    console.log(
      `A restore can reach any second from ${formatTime(earliestMs)} to ${formatTime(newest.end.timeMs)}.`,
    );
}

async function verify(archive: Archive): Promise<void> {
  const { objects, bytes, transactions, problems } = await verifyArchive(archive, {
    isComplete: flags.all,
  });
  for (const problem of problems) console.error(problem);
  const read = `${objects} objects, ${transactions} transactions, ${formatBytes(bytes)}`;
  if (problems.length === 0) console.log(`No problems: ${read}.`);
  else {
    console.error(
      `${problems.length} problems in ${read}. Restore to an earlier time, and run create.`,
    );
    process.exitCode = 1;
  }
}

/** Returns the time of --at in milliseconds; Infinity without it. */
function parseTime(): number {
  if (flags.at === undefined) return Infinity;
  const text = /(Z|[+-]\d\d:?\d\d)$/.test(flags.at) ? flags.at : `${flags.at}Z`;
  const timeMs = Date.parse(text);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(flags.at) || Number.isNaN(timeMs))
    exitWithUsage(`--at: "${flags.at}" is not a time such as 2026-11-29T10:15:30Z.`, usage);
  // A time without milliseconds includes what was committed within that second.
  return /:\d\d\.\d/.test(flags.at) ? timeMs : timeMs + (/:\d\d:\d\d/.test(flags.at) ? 999 : 0);
}

function describe({ txid, timeMs, bytes, transactions }: RestoreResult): string {
  return `transaction ${txid} of ${formatTime(timeMs)}, ${formatBytes(bytes)}, ${pluralize(transactions, "transaction")} after the snapshot`;
}

async function restore(archive: Archive): Promise<void> {
  const timeMs = parseTime();
  if (flags.import && flags.to !== undefined) exitWithUsage("Use either --to or --import.", usage);
  if (flags.import) return importIntoCluster(archive, timeMs);
  const file = resolve(flags.to ?? defaultFile);
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory())
    exitWithUsage(`--to: ${file} is a folder. Name a file in it.`, usage);
  if (existsSync(file) && !flags.replace)
    throw new Error(
      `${file} exists. Choose another file with --to, or stop the site and add --replace.`,
    );
  const restored = `${file}.restored`;
  rmSync(restored, { force: true });
  const startMs = performance.now();
  const result = await restoreDatabase(archive, restored, timeMs);
  if (existsSync(file)) {
    const suffix = `.before-restore-${new Date().toISOString().replace(/[:.]/g, "-")}`;
    // The log belongs to the file. Next to another database, SQLite would apply it to that one.
    for (const part of ["-wal", "-shm", ""])
      if (existsSync(file + part)) renameSync(file + part, file + suffix + part);
    console.log(`The former database is ${file}${suffix}.`);
  }
  for (const part of ["-wal", "-shm"]) rmSync(file + part, { force: true });
  renameSync(restored, file);
  console.log(
    `${file}: ${describe(result)}, in ${((performance.now() - startMs) / 1_000).toFixed(1)} s.`,
  );
}

async function importIntoCluster(archive: Archive, timeMs: number): Promise<void> {
  const name = basename(env.DATABASE_FILE);
  if (!env.REPLICATION) throw new Error("--import is for a cluster: REPLICATION is off here.");
  const { isPrimary } = await fetchLitefsNodeState(env.LITEFS_URL, name);
  if (!isPrimary)
    throw new Error("This is a replica. Run it on the primary: /admin/cluster names it.");
  const file = join(env.DATA_DIR, "backup-import.db");
  rmSync(file, { force: true });
  try {
    const result = await restoreDatabase(archive, file, timeMs);
    await importDatabase({ url: env.LITEFS_URL, name, file, timeoutMs: 600_000 });
    console.log(`The cluster has ${describe(result)}.`);
  } finally {
    rmSync(file, { force: true });
  }
}

async function drill(archive: Archive): Promise<void> {
  const result = await runDrill(archive, {
    // Not the folder of scheduled drills, which the backup process deletes when it starts.
    folder: join(env.DATA_DIR, "backup-drill-manual"),
    liveFile: env.DATABASE_FILE,
    instance: currentInstance(),
  });
  for (const problem of result.problems) console.error(problem);
  const seconds = (ms: number) => (ms / 1_000).toFixed(1);
  console.log(
    `${result.problems.length === 0 ? "Passed" : "Failed"}: ${result.rows} rows, ${formatBytes(result.bytes)}, restored in ${seconds(result.restoreMs)} s, ${seconds(result.totalMs)} s with all checks.`,
  );
  if (result.problems.length > 0) process.exitCode = 1;
}

const commands = { create, list, verify, restore, drill };
const [command = "", ...rest] = words;
if (!Object.hasOwn(commands, command) || rest.length > 0)
  exitWithUsage(command ? `Unknown command: "${words.join(" ")}".` : "No command given.", usage);
try {
  await commands[command as keyof typeof commands](openArchive());
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
