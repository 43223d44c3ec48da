// npm run migrate:postgres -- plan|copy|follow|verify|cutover|resume|abort: a site moves in from Postgres. docs/runbooks/move-in.md

import { existsSync, realpathSync } from "node:fs";
import { basename, join } from "node:path";
import { parseCommandLine, exitWithUsage } from "#cli/command-line.ts";
import { createProgressReport } from "./progress-report.ts";
import { env } from "#lib/core/env.ts";
import { isAppError } from "#lib/core/errors.ts";
import { abortMigration, cleanUpSource, cutOver } from "./cutover.ts";
import { formatPlan } from "./format-plan.ts";
import { withMigrationLock } from "./migration-lock.ts";
import type { MigrationOptions } from "./table-mapping.ts";
import { type SwapTarget, inspectTarget, servedFileOf } from "./swap-in.ts";
import { isResolved } from "./plan.ts";
import {
  type Migration,
  copySource,
  keepReplicating,
  planMigration,
  runStep,
  verifyMigration,
} from "./migration.ts";
import { findState, getState } from "./migration-state.ts";
import { rebuildCounters } from "#lib/reading/rebuild-counters.ts";

const COMMANDS = ["plan", "copy", "follow", "verify", "cutover", "resume", "abort"] as const;
type Command = (typeof COMMANDS)[number];

const USAGE = `Usage: npm run migrate:postgres -- COMMAND [--from URL] [--to FILE] [options]

Moves a site from Postgres to this one while it runs: every row, compared on both sides, with no write lost.

  plan      change nothing; say what would move, what would be converted, what stands against it, how long it takes
  copy      copy one state of the source beside FILE, with a slot in Postgres that keeps what is written from then on
  follow    apply what has been written since then, until Ctrl-C; it can be stopped, killed and started again at any time
  verify    compare every row of both sides at one and the same state, also while the source is written to
  cutover   stop the old site's writes, take over the last of them, compare, put the file in place; copies first where that was not done
  resume    go on with whatever was begun
  abort     undo everything in Postgres (slot, publication, read-only) and delete the copy

  --from URL           the old site's database: postgres://user:password@host/database (or MIGRATE_FROM, which ps does not show)
  --to FILE            the file to make (default: ${defaultTargetFile()})
  --unknown keep|drop  columns and tables that this site does not have: keep them in side tables, or leave them behind
  --unfit aside        rows that this site's rules refuse: keep them, whole, in the table Moved_aside
  --until-caught-up    follow: end as soon as nothing is left
  --replace            cutover: replace a database that has members; it is kept beside FILE
  --old-site-stopped   cutover: the old site was or is being stopped by you; its database is not made read-only
  --site URL           cutover: wait until this site says that it is ready (default: ${env.SITE_URL}; "none": don't)
  --patience SECONDS   cutover: how long to wait for the old site to stop and for the new one to be ready (default: 60)
  --allow-writes       abort: let the old site write again even where nothing here says that this move stopped it
  --json               one JSON object a line

Exit code 0 when it is done, 1 when it is not (a difference, something undecided, an error; the last line says what), 2 for wrong use.`;

function defaultTargetFile(): string {
  // LiteFS' mount takes nothing but databases, and slowly: the file is made beside it and imported.
  return env.REPLICATION ? join(env.DATA_DIR, "moving-in.db") : env.DATABASE_FILE;
}

const { flags, words } = parseCommandLine(
  USAGE,
  {
    from: { type: "string" },
    to: { type: "string" },
    unknown: { type: "string" },
    unfit: { type: "string" },
    "until-caught-up": { type: "boolean" },
    replace: { type: "boolean" },
    "old-site-stopped": { type: "boolean" },
    site: { type: "string" },
    patience: { type: "string" },
    "allow-writes": { type: "boolean" },
    json: { type: "boolean" },
  },
  { words: true },
);
if (words.length !== 1 || !COMMANDS.includes(words[0] as Command))
  exitWithUsage(
    words.length === 0 ? "Which command?" : `Unknown command: ${words.join(" ")}`,
    USAGE,
  );
const command = words[0] as Command;
const sourceUrl = flags.from ?? process.env.MIGRATE_FROM;
if (!sourceUrl)
  exitWithUsage("--from is missing: the connection string of the old site's database.", USAGE);
const parseChoice = <Value extends string>(
  name: string,
  value: string | undefined,
  allowed: readonly Value[],
  fallback: Value,
): Value => {
  if (value === undefined) return fallback;
  return (
    allowed.find((known) => known === value) ??
    exitWithUsage(
      `--${name} must be ${allowed.filter((known) => known !== "stop").join(" or ")}.`,
      USAGE,
    )
  );
};
const options: MigrationOptions = {
  unknown: parseChoice("unknown", flags.unknown, ["stop", "keep", "drop"], "stop"),
  unfit: parseChoice("unfit", flags.unfit, ["stop", "aside"], "stop"),
};
const timeoutSeconds = Number(flags.patience ?? 60);
if (!(timeoutSeconds > 0 && timeoutSeconds <= 86_400))
  exitWithUsage("--patience must be a number of seconds, such as 60.", USAGE);
const site = flags.site === "none" ? null : (flags.site ?? env.SITE_URL).replace(/\/+$/, "");
if (site !== null && !/^https?:\/\//.test(site))
  exitWithUsage("--site must be a URL such as https://example.com, or none.", USAGE);

const requestedFile = flags.to ?? defaultTargetFile();
// A link stays one: what it leads to is replaced.
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
// A second one, later, ends the process as usual: what it leaves is what a killed process leaves, and resume goes on from there. Under npm one
// press arrives twice, from the terminal and from npm.
const DUPLICATE_SIGNAL_MS = 1_000;
/** A server that does not answer any more is not waited for. */
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

// Whoever reads the output may have enough of it.
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
  choices: options,
  hasLegacyCookieSecret: Boolean(env.OLD_COOKIE_SECRET),
  rebuildCounters,
  onEvent: report.reportEvent,
  signal: shutdown.signal,
};

async function runCopy(decided: MigrationOptions): Promise<void> {
  const { mode } = await copySource({ ...migration, choices: decided });
  const next =
    mode === "stream"
      ? "its writes wait in Postgres until follow or cutover takes them over, so don't leave it for days."
      : "follow or cutover compares again, and takes over what was written since.";
  report.reportResult({ copied: true, mode }, [
    `Copied and compared. The old site goes on; ${next}`,
  ]);
}

const commands: Record<Command, () => Promise<number | void>> = {
  async plan() {
    const planned = await runStep(migration, "plan", () => planMigration(migration));
    const there = await inspectTarget(target).catch(() => null);
    const occupied = there?.members
      ? [
          `${servedFileOf(target)} has ${there.members} members already (npm start makes some examples). cutover wants --replace for that, keeps the database beside it, and your own log-in here goes with it.`,
        ]
      : [];
    report.reportResult({ ...planned, occupied: there?.members ?? 0 }, [
      ...formatPlan(planned),
      ...occupied,
    ]);
    return isResolved(planned) ? 0 : 1;
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
    const moved = await cutOver(migration, {
      target,
      canReplace: flags.replace === true,
      stopMode: flags["old-site-stopped"] ? "by owner" : "read-only",
      siteUrl: site,
      timeoutMs: timeoutSeconds * 1000,
    });
    report.reportResult(moved, [
      `Moved: the file was ${moved.how}. Writes paused for ${(moved.pauseMs / 1000).toFixed(2)} s${moved.isReady ? ", until the site was ready" : ""}.`,
      ...(moved.aside ? [`What was there before is kept: ${moved.aside}`] : []),
      ...(moved.isReady || site === null
        ? []
        : [
            `${site} has not said that it is ready. Where the site is somewhere else, look at its /readyz; where it is not running, start it.`,
          ]),
      "Next: look at the site, then point the DNS records of your domain at it (docs/runbooks/move-in.md, step 9).",
      "The way back, as long as nothing was written here: abort, and the old site writes again.",
    ]);
  },
  async resume() {
    const begun = findState(targetFile);
    if (!begun)
      return exitWithUsage(`Nothing was begun for ${targetFile}: begin with plan.`, USAGE);
    const { phase } = begun;
    if (phase === "done") {
      await cleanUpSource(migration, getState(targetFile));
      return report.reportResult({ phase }, ["The move is done. There is nothing to go on with."]);
    }
    // What was decided then holds, where nothing else is said now.
    if (phase === "copying")
      return runCopy({
        unknown: flags.unknown === undefined ? begun.choices.unknown : options.unknown,
        unfit: flags.unfit === undefined ? begun.choices.unfit : options.unfit,
      });
    return commands[phase === "copied" ? "follow" : "cutover"]();
  },
  async abort() {
    const done = await abortMigration({
      url: sourceUrl!,
      to: targetFile,
      allow: flags["allow-writes"] === true,
    });
    report.reportResult({ done }, done);
  },
};

try {
  process.exitCode =
    (await (command === "plan"
      ? commands.plan()
      : withMigrationLock(targetFile, async () => commands[command]()))) ?? 0;
  if (shutdown.signal.aborted && command !== "cutover")
    report.reportResult({ stopped: true }, ["Stopped. resume goes on from here."]);
} catch (error) {
  if (shutdown.signal.aborted)
    report.reportResult({ stopped: true }, ["Stopped. resume goes on from here."]);
  else if (isAppError(error)) report.reportFailure(error.message);
  else {
    // Not printed whole: it may quote what it stumbled over.
    report.reportFailure(
      `A fault of this tool: ${
        error instanceof Error
          ? `${error.name} in ${
              error.stack
                ?.split("\n")
                .find((line) => line.includes("/lib/"))
                ?.trim()
                .replace(/\(?file:.*\/lib\//, "lib/")
                .replace(/\)$/, "") ?? "an unknown place"
            }`
          : "unknown"
      }. LOG_LEVEL=debug prints it.`,
    );
    if (env.LOG_LEVEL === "debug") console.error(error);
  }
  process.exitCode = 1;
}
report.finish();
