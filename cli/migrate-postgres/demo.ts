// npm run migrate:demo: a whole move on this machine. The site before runs on a real Postgres and is written to, the real command moves it into this one.

import { setTimeout as sleep } from "node:timers/promises";
import { parseCommandLine, exitWithUsage } from "#cli/command-line.ts";
import { POSTGRES_MISSING, findPostgres } from "../../scripts/find-postgres.mjs";
import {
  type MigrationFixture,
  type SourceMember,
  createMigrationFixture,
} from "#tests/support/migration-fixture.ts";
import { FULL_SIZES, SMALL_SIZES } from "#tests/support/source-site.ts";

const USAGE = `Usage: npm run migrate:demo [-- --small] [--reads N] [--per-second N] [--exit]

Shows a whole move: PostgreSQL with the site before (10,000 members, 20,000 sessions, 300 calls of 400 kB, 500,000 reads), which is
written to all the time; then plan, copy, follow, verify and cutover into this site, which is running; and what came of it.

  --small         60 members, 90 sessions, 8 calls, 2,000 reads
  --reads N       how many reads
  --per-second N  transactions a second at the site before (default: 500)
  --exit          end when all is shown; else the site stays until Ctrl-C

Everything it makes is in folders of its own and goes with it. Exit code 0 when nothing was lost, 1 when something was, 2 for wrong use.`;

const { flags } = parseCommandLine(USAGE, {
  small: { type: "boolean" },
  reads: { type: "string" },
  "per-second": { type: "string", default: "500" },
  exit: { type: "boolean" },
});
const perSecond = Number(flags["per-second"]);
if (!(perSecond > 0 && perSecond <= 5_000))
  exitWithUsage("--per-second must be a number from 1 to 5000.", USAGE);
if (flags.reads !== undefined && !/^\d{1,8}$/.test(flags.reads))
  exitWithUsage("--reads must be a whole number, such as 500000.", USAGE);
if (!findPostgres()) {
  console.error(POSTGRES_MISSING);
  process.exit(1);
}
const sizes = {
  ...(flags.small ? SMALL_SIZES : FULL_SIZES),
  ...(flags.reads !== undefined && { reads: Number(flags.reads) }),
};

const log = (text: string) => console.log(`\x1b[2m· ${text}\x1b[0m`);
const formatSeconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
const formatCount = (n: number) => n.toLocaleString("en-US");
const formatMegabytes = (bytes: number) => `${(bytes / 1_000_000).toFixed(1)} MB`;

const shutdown = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => shutdown.abort());

class CommandFailure extends Error {}

/** Runs one command of the move before everybody's eyes. Returns how long it took, with its own start, in ms. */
async function runCommandShown(world: MigrationFixture, ...args: string[]): Promise<number> {
  console.log(`\n\x1b[1m$ npm run migrate:postgres -- ${args.join(" ")}\x1b[0m`);
  const startedMs = performance.now();
  const { code } = await world.runMigrate(args, { show: true });
  if (code !== 0) throw new CommandFailure(`${args[0]} ended with code ${code}.`);
  return performance.now() - startedMs;
}

/** The page at `path` as `member`'s browser gets it. */
async function fetchPage(
  { site }: MigrationFixture,
  path: string,
  member?: SourceMember,
): Promise<{ status: number; text: string }> {
  // Each on a connection of its own: one that waited while rows were compared may just be closed by the other side.
  const headers = {
    connection: "close",
    ...(member && { cookie: `${member.cookie.name}=${member.cookie.value}` }),
  };
  const answer = await fetch(site.url + path, {
    redirect: "manual",
    signal: AbortSignal.timeout(20_000),
    headers,
  });
  return { status: answer.status, text: await answer.text() };
}

/** When the new site knew `member` first, by Date.now(): asked again and again, as somebody would who reloads the page. */
async function waitUntilKnown(
  world: MigrationFixture,
  member: SourceMember,
  signal: AbortSignal,
): Promise<number> {
  while (!signal.aborted) {
    const { status } = await fetchPage(world, "/me", member).catch(() => ({ status: 0 }));
    if (status === 200) return Date.now();
    await sleep(20);
  }
  return Number.NaN;
}

interface ResultRow {
  readonly what: string;
  readonly text: string;
  readonly ok?: boolean;
}

/** The whole move. Returns what was measured and checked, and somebody to look around as. */
async function runMigrationDemo(
  world: MigrationFixture,
): Promise<{ rows: ResultRow[]; ada: SourceMember }> {
  const { writer, site } = world;
  log(
    `the site before takes ${formatCount(perSecond)} transactions a second; the new one is at ${site.url}, and empty`,
  );
  await runCommandShown(world, "plan");
  const [before] = await world.query<{ rows: string }>(
    `SELECT ((SELECT count(*) FROM "User") + (SELECT count(*) FROM "Session") + (SELECT count(*) FROM "Call") + (SELECT count(*) FROM "PostRead"))::text AS rows`,
  );
  const copyMs = await runCommandShown(world, "copy");
  // Only who follows has her.
  const ada = await world.addMember({
    firstName: "Ada",
    email: "ada@before.example",
    role: "ADMIN",
    posts: ["what-litefs-costs", "one-door-for-writes", "moving-in-from-postgres"],
    callTitle: "Did my call come along?",
  });
  log(
    "Ada signs up at the site before, reads three posts and leaves a call: the copy does not have her",
  );
  const waitingBytes = await world.readPendingWalBytes();
  const followMs = await runCommandShown(world, "follow", "--until-caught-up");
  const verifyMs = await runCommandShown(world, "verify");

  const watching = new AbortController();
  const known = waitUntilKnown(world, ada, AbortSignal.any([watching.signal, shutdown.signal]));
  try {
    await runCommandShown(world, "cutover", "--site", site.url);
    // Whoever has not been let in by now waits for good.
    setTimeout(() => watching.abort(), 5_000).unref();
    const knownAtMs = await known;
    const { committed, lastAcknowledgedAtMs, perSecond: reached } = await writer.stop();
    const pauseMs = knownAtMs - lastAcknowledgedAtMs;
    const verifiedMs = await runCommandShown(world, "verify");
    const { looked, wrong, counters } = await world.checkLedger();
    for (const line of wrong.slice(0, 10)) console.log(`  ${line}`);
    const me = await fetchPage(world, "/me", ada);
    const pages = [
      await fetchPage(world, "/"),
      await fetchPage(world, "/blog/what-litefs-costs"),
      await fetchPage(world, "/calls/mine", ada),
    ];
    const isServed =
      pages.every(({ status }) => status === 200) &&
      pages[2]!.text.includes(ada.callTitle!) &&
      me.text.includes("Ada") &&
      me.text.includes("You have read 3 posts to their end.");
    const rows: ResultRow[] = [
      {
        what: "copied and compared",
        text: `${formatCount(Number(before!.rows))} rows and what was written by then in ${formatSeconds(copyMs)}, with plan, indexes and counters`,
      },
      {
        what: "written meanwhile",
        text: `${formatCount(committed)} transactions, ${Math.round(reached)} a second`,
      },
      {
        what: "follow",
        text: `${formatMegabytes(waitingBytes)} of the old database's log, and what was written meanwhile, in ${formatSeconds(followMs)}`,
      },
      { what: "compared in use", text: `every row of both sides in ${formatSeconds(verifyMs)}` },
      {
        what: "pause",
        text: `${formatCount(pauseMs)} ms from the old site's last write until a member of it saw her page here`,
        ...(pauseMs < 2_000 && { ok: true }),
      },
      {
        what: "compared at the end",
        text: `every row of both sides in ${formatSeconds(verifiedMs)}`,
        ok: true,
      },
      {
        what: "rows lost",
        text: `${formatCount(wrong.length)} of the ${formatCount(looked)} that the old site had said are stored, changed or gone`,
        ok: wrong.length === 0,
      },
      {
        what: "counters of reads",
        text: counters === 0 ? "right" : `${counters} differ`,
        ok: counters === 0,
      },
      {
        what: "served",
        text: isServed
          ? "/, a post, and for Ada, still logged in, /me with her three reads and /calls/mine with her call"
          : `not as it must be: ${pages.map(({ status }) => status).join(", ")}, /me ${me.status}`,
        ok: isServed,
      },
    ];
    return { rows, ada };
  } finally {
    watching.abort();
  }
}

function printResults(
  { rows, ada }: { rows: ResultRow[]; ada: SourceMember },
  { site }: MigrationFixture,
): void {
  console.log();
  for (const { what, text, ok } of rows)
    console.log(`  ${ok === undefined ? " " : ok ? "✓" : "✗"} ${what.padEnd(20)} ${text}`);
  if (flags.exit) return;
  console.log(`\n  The moved site is at ${site.url}\n`);
  console.log(`  As Ada, an admin of the site before: in the browser's console on that page`);
  console.log(`    document.cookie = "${ada.cookie.name}=${ada.cookie.value}; path=/"`);
  console.log(
    `  or log in as ${ada.email} at ${site.url}/login; the mail is at ${site.url}/dev/mail`,
  );
  console.log(`\n  Ctrl-C ends everything.\n`);
}

const startedMs = performance.now();
let fixture: MigrationFixture | undefined;
try {
  fixture = await createMigrationFixture({ sizes, perSecond, signal: shutdown.signal, log });
  const shown = await runMigrationDemo(fixture);
  printResults(shown, fixture);
  process.exitCode = shown.rows.every(({ ok }) => ok !== false) ? 0 : 1;
  if (!flags.exit && !shutdown.signal.aborted)
    await new Promise((resolve) =>
      shutdown.signal.addEventListener("abort", resolve, { once: true }),
    );
} catch (error) {
  if (!shutdown.signal.aborted)
    console.error(
      error instanceof CommandFailure ? `\n${error.message}\n` : error,
      fixture?.site.readOutput() ?? "",
    );
  process.exitCode = shutdown.signal.aborted ? 130 : 1;
}
if (shutdown.signal.aborted) log("ending");
await fixture?.close();
log(`ended after ${formatSeconds(performance.now() - startedMs)}; nothing is left of it`);
process.exit();
