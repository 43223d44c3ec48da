// Migrates a site from PostgreSQL: npm run migrate:postgres -- COMMAND
// (cli/migrate-postgres/README.md, docs/runbooks/migrate-from-postgres.md).

import { existsSync, realpathSync } from "node:fs";
import { basename, join } from "node:path";
import { exitWithUsage, parseCommandLine } from "#cli/command-line.ts";
import { env } from "#lib/core/env.ts";
import { isAppError } from "#lib/core/errors.ts";
import { sqliteErrorCode } from "#lib/core/sqlite-error.ts";
import { rebuildCounters } from "#lib/reading/rebuild-counters.sql.ts";
import { abortMigration } from "./abort-command.ts";
import { copySource } from "./copy-command.ts";
import { cleanUpSource, cutOver } from "./cutover.ts";
import { keepReplicating } from "./follow-command.ts";
import { formatPlan } from "./format-plan.ts";
import { type Migration, planMigration, runStep } from "./migration.ts";
import { withMigrationLock } from "./migration-lock.ts";
import { findState, getState } from "./migration-state.ts";
import type { MigrationOptions } from "./options.ts";
import { isResolved } from "./plan.ts";
import { createProgressReport } from "./progress-report.ts";
import { type SwapTarget, countTargetMembers, servedFileOf } from "./swap-in.ts";
import { verifyMigration } from "./verify-command.ts";

const COMMANDS = ["plan", "copy", "follow", "verify", "cutover", "resume", "abort"] as const;
type Command = (typeof COMMANDS)[number];

const USAGE = `Usage: npm run migrate:postgres -- COMMAND [--from URL] [--to FILE] [options]

Migrates a site from PostgreSQL while it keeps running. Every row is compared on both sides, and no write is lost.

  plan      list what migrates, what is converted, what blocks it, and how long it takes; changes nothing
  copy      copy one snapshot of the source next to FILE; a replication slot in PostgreSQL retains later changes
  follow    apply changes from the source until Ctrl-C; it can be stopped, killed and restarted at any time
  verify    compare every row of both sides at one snapshot, even while the source is being written to
  cutover   block the source's writes, apply the last changes, compare, and swap the database in; copies first if needed
  resume    continue an interrupted migration
  abort     undo everything in PostgreSQL (slot, publication, read-only setting) and delete the copy

  --from URL                    the source database: postgres://user:password@host/database (default: MIGRATE_FROM, which ps does not show)
  --to FILE                     the file to create (default: ${defaultTargetFile()})
  --unknown keep|drop           columns and tables that this site does not have: keep them as text in side tables, or leave them out
  --invalid-rows quarantine     rows that violate this site's constraints: keep them in the table _quarantined_rows
  --until-caught-up             follow: exit as soon as no change is pending
  --replace                     cutover: replace a database that has members; a backup is kept next to FILE
  --source-stopped              cutover: you stop the source site yourself; its database is not made read-only
  --site URL                    cutover: wait until this site is ready (default: ${env.SITE_URL}; "none": do not wait)
  --timeout SECONDS             cutover: how long to wait for the source to stop, and for this site to be ready (default: 60)
  --allow-writes                abort: let the source site write again, even if this migration is not known to have blocked it
  --json                        print one JSON object per line

Exit code 0: done; 1: not done (a difference, an open choice, an error; the last line says which); 2: wrong usage.`;

function defaultTargetFile(): string {
  // The LiteFS mount is slow and accepts only databases, so the file is created outside it and
  // imported.
  return env.REPLICATION ? join(env.DATA_DIR, "migration.db") : env.DATABASE_FILE;
}

const { flags, words } = parseCommandLine(
  USAGE,
  {
    from: { type: "string" },
    to: { type: "string" },
    unknown: { type: "string" },
    "invalid-rows": { type: "string" },
    "until-caught-up": { type: "boolean" },
    replace: { type: "boolean" },
    "source-stopped": { type: "boolean" },
    site: { type: "string" },
    timeout: { type: "string" },
    "allow-writes": { type: "boolean" },
    json: { type: "boolean" },
  },
  { words: true },
);
if (words.length !== 1 || !COMMANDS.includes(words[0] as Command))
  exitWithUsage(
    words.length === 0 ? "A command is missing." : `Unknown command: ${words.join(" ")}`,
    USAGE,
  );
const command = words[0] as Command;
const sourceUrl = flags.from ?? process.env.MIGRATE_FROM ?? "";
if (!sourceUrl)
  exitWithUsage("--from is missing: the connection string of the source database.", USAGE);

/** Returns the flag's value, or "stop" without one. */
function parseChoice<Value extends string>(
  name: string,
  value: string | undefined,
  allowed: readonly Value[],
): Value | "stop" {
  if (value === undefined) return "stop";
  return (
    allowed.find((one) => one === value) ??
    exitWithUsage(`--${name} must be ${allowed.join(" or ")}.`, USAGE)
  );
}
const options: MigrationOptions = {
  unknown: parseChoice("unknown", flags.unknown, ["keep", "drop"]),
  invalidRows: parseChoice("invalid-rows", flags["invalid-rows"], ["quarantine"]),
};
const timeoutSeconds = Number(flags.timeout ?? 60);
if (!(timeoutSeconds > 0 && timeoutSeconds <= 86_400))
  exitWithUsage("--timeout must be a number of seconds, such as 60.", USAGE);
const siteUrl = flags.site === "none" ? null : (flags.site ?? env.SITE_URL).replace(/\/+$/, "");
if (siteUrl !== null && !/^https?:\/\//.test(siteUrl))
  exitWithUsage("--site must be a URL such as https://example.com, or none.", USAGE);

const requestedFile = flags.to ?? defaultTargetFile();
// A symbolic link stays; its target is replaced.
const targetFile = existsSync(requestedFile) ? realpathSync(requestedFile) : requestedFile;
const target: SwapTarget = env.REPLICATION
  ? {
      kind: "litefs",
      url: env.LITEFS_URL,
      name: basename(env.DATABASE_FILE),
      mounted: env.DATABASE_FILE,
    }
  : { kind: "file", file: targetFile };

const shutdown = new AbortController();
/**
 * npm forwards the terminal's signal, so one Ctrl-C arrives twice. A later one exits immediately,
 * like a crash.
 */
const DUPLICATE_SIGNAL_MS = 1_000;
const EXIT_TIMEOUT_MS = 15_000;
let firstSignalMs = 0;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    if (firstSignalMs > 0 && performance.now() - firstSignalMs > DUPLICATE_SIGNAL_MS)
      process.exit(130);
    firstSignalMs ||= performance.now();
    shutdown.abort();
    setTimeout(() => process.exit(130), EXIT_TIMEOUT_MS).unref();
  });
}

// Exits once the reader of the output, such as head, has exited (EPIPE).
process.stdout.on("error", (error: NodeJS.ErrnoException) =>
  process.exit(error.code === "EPIPE" ? 141 : 1),
);

const report = createProgressReport({
  json: flags.json === true,
  isTerminal: process.stdout.isTTY,
});
const migration: Migration = {
  url: sourceUrl,
  targetFile,
  servedFile: servedFileOf(target),
  options,
  hasLegacyCookieSecret: Boolean(env.LEGACY_COOKIE_SECRET),
  rebuildCounters,
  onEvent: report.reportEvent,
  signal: shutdown.signal,
};
const reportStopped = () =>
  report.reportResult({ stopped: true }, ["Stopped. resume continues from here."]);

async function runCopy(copyOptions: MigrationOptions): Promise<void> {
  const { mode } = await copySource({ ...migration, options: copyOptions });
  const next =
    mode === "stream"
      ? "PostgreSQL retains its changes until follow or cutover applies them, so run one of them within days."
      : "follow or cutover compares again, and applies later changes.";
  report.reportResult({ copied: true, mode }, [
    `Copied and verified. The source site keeps running; ${next}`,
  ]);
}

/** Each command returns its exit code, or nothing for 0. */
const commands: Record<Command, () => Promise<number | void>> = {
  async plan() {
    const plan = await runStep(migration, "plan", () => planMigration(migration));
    const members = (await countTargetMembers(target).catch(() => null)) ?? 0;
    const warning = `${servedFileOf(target)} already has ${members} members (npm start creates examples). cutover needs --replace, which keeps a backup; your login on this site is replaced, too.`;
    report.reportResult({ ...plan, targetMembers: members }, [
      ...formatPlan(plan),
      ...(members > 0 ? [warning] : []),
    ]);
    return isResolved(plan) ? 0 : 1;
  },
  copy: () => runCopy(options),
  async follow() {
    await keepReplicating(migration, { untilCaughtUp: flags["until-caught-up"] });
  },
  async verify() {
    await verifyMigration(migration);
  },
  async cutover() {
    if (findState(targetFile)?.phase === "done") return commands.resume();
    const result = await cutOver(migration, {
      target,
      canReplace: flags.replace === true,
      stopMode: flags["source-stopped"] ? "stopped-by-owner" : "read-only",
      siteUrl,
      timeoutMs: timeoutSeconds * 1000,
    });
    const { method, pauseMs, isReady, backupFile } = result;
    report.reportResult(result, [
      `Migrated: the database was ${method}. Writes paused for ${(pauseMs / 1000).toFixed(2)} s${isReady ? ", until this site was ready" : ""}.`,
      ...(backupFile ? [`The replaced database is kept: ${backupFile}`] : []),
      ...(isReady || siteUrl === null
        ? []
        : [`${siteUrl} is not ready yet. Check its /readyz, or start the site.`]),
      "Next: check the site, then point your domain's DNS records at it (docs/runbooks/migrate-from-postgres.md, step 9).",
      "To go back while nothing was written here: run abort, and the source site can write again.",
    ]);
  },
  async resume() {
    const state = findState(targetFile);
    if (!state)
      return exitWithUsage(`There is no migration to ${targetFile}. Start with plan.`, USAGE);
    const { phase } = state;
    if (phase === "done") {
      await cleanUpSource(migration, getState(targetFile));
      return report.reportResult({ phase }, ["The migration is done. There is nothing to resume."]);
    }
    // Flags given now override the saved ones.
    if (phase === "copying")
      return runCopy({
        unknown: flags.unknown === undefined ? state.options.unknown : options.unknown,
        invalidRows:
          flags["invalid-rows"] === undefined ? state.options.invalidRows : options.invalidRows,
      });
    return commands[phase === "copied" ? "follow" : "cutover"]();
  },
  async abort() {
    const done = await abortMigration({
      url: sourceUrl,
      targetFile,
      canAllowWrites: flags["allow-writes"] === true,
    });
    report.reportResult({ done }, done);
  },
};

/**
 * Returns an unexpected error's name and place in our code, but not its message, which may quote
 * data.
 */
function describeUnexpected(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  const frame = error.stack?.split("\n").find((line) => /\/(lib|cli)\//.test(line));
  const place = frame
    ?.trim()
    .replace(/\(?file:.*\/(lib|cli)\//, "$1/")
    .replace(/\)$/, "");
  return `${error.name} in ${place ?? "an unknown place"}`;
}

try {
  process.exitCode =
    (await (command === "plan"
      ? commands.plan()
      : withMigrationLock(targetFile, async () => commands[command]()))) ?? 0;
  if (shutdown.signal.aborted && command !== "cutover") reportStopped();
} catch (error) {
  process.exitCode = 1;
  if (shutdown.signal.aborted) reportStopped();
  else if (isAppError(error)) report.reportFailure(error.message);
  else if (/^(SQLITE_FULL|ENOSPC)/.test(sqliteErrorCode(error)))
    report.reportFailure("The disk is full. Free space, then resume.");
  else {
    report.reportFailure(
      `Internal error: ${describeUnexpected(error)}. Run with LOG_LEVEL=debug for details.`,
    );
    if (env.LOG_LEVEL === "debug") console.error(error);
  }
}
report.finish();
