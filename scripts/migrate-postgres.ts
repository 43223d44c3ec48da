// npm run migrate:postgres -- plan|copy|follow|verify|cutover|resume|abort: a site moves in from Postgres. docs/runbooks/move-in.md

import { existsSync, realpathSync } from "node:fs";
import { basename, join } from "node:path";
import { readCommandLine, wrongUse } from "./command-line.ts";
import { reportMove } from "./migrate-progress.ts";
import { env } from "#lib/base/env.ts";
import { isAppError } from "#lib/base/errors.ts";
import { abort, cleanUp, cutOver } from "#lib/migrate/cutover.ts";
import { formatPlan } from "#lib/migrate/format-plan.ts";
import { withMove } from "#lib/migrate/hold.ts";
import type { Choices } from "#lib/migrate/move.ts";
import { type Place, lookAt, placedFile } from "#lib/migrate/place.ts";
import { isDecided } from "#lib/migrate/plan.ts";
import { type Move, copy, keepFollowing, plan, step, verifyMove } from "#lib/migrate/run.ts";
import { findState, getState } from "#lib/migrate/state.ts";
import { rebuildCounters } from "#lib/reads/rebuild.ts";

const COMMANDS = ["plan", "copy", "follow", "verify", "cutover", "resume", "abort"] as const;
type Command = (typeof COMMANDS)[number];

const usage = `Usage: npm run migrate:postgres -- COMMAND [--from URL] [--to FILE] [options]

Moves a site from Postgres to this one while it runs: every row, compared on both sides, with no write lost.

  plan      change nothing; say what would move, what would be converted, what stands against it, how long it takes
  copy      copy one state of the source beside FILE, with a slot in Postgres that keeps what is written from then on
  follow    apply what has been written since then, until Ctrl-C; it can be stopped, killed and started again at any time
  verify    compare every row of both sides at one and the same state, also while the source is written to
  cutover   stop the old site's writes, take over the last of them, compare, put the file in place; copies first where that was not done
  resume    go on with whatever was begun
  abort     undo everything in Postgres (slot, publication, read-only) and delete the copy

  --from URL           the old site's database: postgres://user:password@host/database (or MIGRATE_FROM, which ps does not show)
  --to FILE            the file to make (default: ${defaultTo()})
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

function defaultTo(): string {
  // LiteFS' mount takes nothing but databases, and slowly: the file is made beside it and imported.
  return env.REPLICATION ? join(env.DATA_DIR, "moving-in.db") : env.DATABASE_FILE;
}

const { flags, words } = readCommandLine(
  usage,
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
  wrongUse(words.length === 0 ? "Which command?" : `Unknown command: ${words.join(" ")}`, usage);
const command = words[0] as Command;
const from = flags.from ?? process.env.MIGRATE_FROM;
if (!from) wrongUse("--from is missing: the connection string of the old site's database.", usage);
const one = <Value extends string>(
  name: string,
  value: string | undefined,
  allowed: readonly Value[],
  fallback: Value,
): Value => {
  if (value === undefined) return fallback;
  return (
    allowed.find((known) => known === value) ??
    wrongUse(
      `--${name} must be ${allowed.filter((known) => known !== "stop").join(" or ")}.`,
      usage,
    )
  );
};
const choices: Choices = {
  unknown: one("unknown", flags.unknown, ["stop", "keep", "drop"], "stop"),
  unfit: one("unfit", flags.unfit, ["stop", "aside"], "stop"),
};
const patienceS = Number(flags.patience ?? 60);
if (!(patienceS > 0 && patienceS <= 86_400))
  wrongUse("--patience must be a number of seconds, such as 60.", usage);
const site = flags.site === "none" ? null : (flags.site ?? env.SITE_URL).replace(/\/+$/, "");
if (site !== null && !/^https?:\/\//.test(site))
  wrongUse("--site must be a URL such as https://example.com, or none.", usage);

const given = flags.to ?? defaultTo();
// A link stays one: what it leads to is replaced.
const to = existsSync(given) ? realpathSync(given) : given;
const place: Place = env.REPLICATION
  ? {
      kind: "litefs",
      url: env.LITEFS_URL,
      name: basename(env.DATABASE_FILE),
      mounted: env.DATABASE_FILE,
    }
  : { kind: "file", file: to };

const stop = new AbortController();
// A second one, later, ends the process as usual: what it leaves is what a killed process leaves, and resume goes on from there. Under npm one
// press arrives twice, from the terminal and from npm.
const SAME_PRESS_MS = 1_000;
/** A server that does not answer any more is not waited for. */
const END_MS = 15_000;
let pressedMs = 0;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    if (pressedMs > 0 && performance.now() - pressedMs > SAME_PRESS_MS) process.exit(130);
    pressedMs ||= performance.now();
    stop.abort();
    setTimeout(() => process.exit(130), END_MS).unref();
  });
}

// Whoever reads the output may have enough of it.
process.stdout.on("error", (error: NodeJS.ErrnoException) =>
  process.exit(error.code === "EPIPE" ? 141 : 1),
);

const report = reportMove({ json: flags.json === true, isTerminal: process.stdout.isTTY });
const move: Move = {
  url: from,
  to,
  placed: placedFile(place),
  choices,
  isOldCookieKnown: Boolean(env.OLD_COOKIE_SECRET),
  rebuild: rebuildCounters,
  onEvent: report.event,
  signal: stop.signal,
};

async function copyWith(decided: Choices): Promise<void> {
  const { mode } = await copy({ ...move, choices: decided });
  const next =
    mode === "stream"
      ? "its writes wait in Postgres until follow or cutover takes them over, so don't leave it for days."
      : "follow or cutover compares again, and takes over what was written since.";
  report.result({ copied: true, mode }, [`Copied and compared. The old site goes on; ${next}`]);
}

const commands: Record<Command, () => Promise<number | void>> = {
  async plan() {
    const planned = await step(move, "plan", () => plan(move));
    const there = await lookAt(place).catch(() => null);
    const occupied = there?.members
      ? [
          `${placedFile(place)} has ${there.members} members already (npm start makes some examples). cutover wants --replace for that, keeps the database beside it, and your own log-in here goes with it.`,
        ]
      : [];
    report.result({ ...planned, occupied: there?.members ?? 0 }, [
      ...formatPlan(planned),
      ...occupied,
    ]);
    return isDecided(planned) ? 0 : 1;
  },
  copy: () => copyWith(choices),
  async follow() {
    await keepFollowing(move, { untilCaughtUp: flags["until-caught-up"] });
  },
  async verify() {
    await verifyMove(move);
  },
  async cutover() {
    if (findState(to)?.phase === "done") return commands.resume();
    const moved = await cutOver(move, {
      place,
      replace: flags.replace === true,
      stop: flags["old-site-stopped"] ? "by owner" : "read-only",
      site,
      patienceMs: patienceS * 1000,
    });
    report.result(moved, [
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
    const begun = findState(to);
    if (!begun) return wrongUse(`Nothing was begun for ${to}: begin with plan.`, usage);
    const { phase } = begun;
    if (phase === "done") {
      await cleanUp(move, getState(to));
      return report.result({ phase }, ["The move is done. There is nothing to go on with."]);
    }
    // What was decided then holds, where nothing else is said now.
    if (phase === "copying")
      return copyWith({
        unknown: flags.unknown === undefined ? begun.choices.unknown : choices.unknown,
        unfit: flags.unfit === undefined ? begun.choices.unfit : choices.unfit,
      });
    return commands[phase === "copied" ? "follow" : "cutover"]();
  },
  async abort() {
    const done = await abort({ url: from!, to, allow: flags["allow-writes"] === true });
    report.result({ done }, done);
  },
};

try {
  process.exitCode =
    (await (command === "plan"
      ? commands.plan()
      : withMove(to, async () => commands[command]()))) ?? 0;
  if (stop.signal.aborted && command !== "cutover")
    report.result({ stopped: true }, ["Stopped. resume goes on from here."]);
} catch (error) {
  if (stop.signal.aborted) report.result({ stopped: true }, ["Stopped. resume goes on from here."]);
  else if (isAppError(error)) report.failed(error.message);
  else {
    // Not printed whole: it may quote what it stumbled over.
    report.failed(
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
report.end();
