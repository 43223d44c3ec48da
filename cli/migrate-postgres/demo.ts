// Runs a whole migration on this machine, with a real PostgreSQL under load, the real command and
// this site: npm run migrate:demo

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

Shows a whole migration: PostgreSQL with a source site under load (10,000 members, 20,000 sessions, 300 calls of 400 kB, 500,000 reads);
then plan, copy, follow, verify and cutover into this site, which is running; and the results.

  --small         60 members, 90 sessions, 8 calls, 2,000 reads
  --reads N       how many reads
  --per-second N  transactions per second at the source site (default: 500)
  --exit          exit after the results; by default the site runs until Ctrl-C

It uses temporary folders and removes them. Exit code 0: nothing lost; 1: something lost; 2: wrong usage.`;

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

/** Runs a command with visible output. Returns its time in ms, including its start. */
async function runVisibly(fixture: MigrationFixture, ...args: string[]): Promise<number> {
  console.log(`\n\x1b[1m$ npm run migrate:postgres -- ${args.join(" ")}\x1b[0m`);
  const startedMs = performance.now();
  const { code } = await fixture.runMigrate(args, { show: true });
  if (code !== 0) throw new CommandFailure(`${args[0]} ended with code ${code}.`);
  return performance.now() - startedMs;
}

/** Fetches a page, optionally as `member`. */
async function fetchPage(
  { site }: MigrationFixture,
  path: string,
  member?: SourceMember,
): Promise<{ status: number; text: string }> {
  // A new connection each time: a keep-alive one may have timed out during a long command.
  const headers = {
    connection: "close",
    ...(member && { cookie: `${member.cookie.name}=${member.cookie.value}` }),
  };
  const response = await fetch(site.url + path, {
    redirect: "manual",
    signal: AbortSignal.timeout(20_000),
    headers,
  });
  return { status: response.status, text: await response.text() };
}

/**
 * Polls /me until this site recognizes `member`. Returns Date.now() then, or NaN if the signal
 * aborts.
 */
async function waitUntilKnown(
  fixture: MigrationFixture,
  member: SourceMember,
  signal: AbortSignal,
): Promise<number> {
  while (!signal.aborted) {
    const { status } = await fetchPage(fixture, "/me", member).catch(() => ({ status: 0 }));
    if (status === 200) return Date.now();
    await sleep(20);
  }
  return Number.NaN;
}

interface ResultRow {
  readonly label: string;
  readonly text: string;
  readonly ok?: boolean;
}

/** Runs the whole migration. Returns its measurements and checks, and a member to log in as. */
async function runMigrationDemo(
  fixture: MigrationFixture,
): Promise<{ rows: ResultRow[]; ada: SourceMember }> {
  const { writer, site } = fixture;
  log(
    `the source site handles ${formatCount(perSecond)} transactions per second; this site is at ${site.url} and is empty`,
  );
  await runVisibly(fixture, "plan");
  const [initial] = await fixture.query<{ rows: string }>(
    `SELECT ((SELECT count(*) FROM "User") + (SELECT count(*) FROM "Session") + (SELECT count(*) FROM "Call") + (SELECT count(*) FROM "PostRead"))::text AS rows`,
  );
  const copyMs = await runVisibly(fixture, "copy");
  // She joins after the copy, so only follow can migrate her.
  const ada = await fixture.addMember({
    firstName: "Ada",
    email: "ada@before.example",
    role: "ADMIN",
    posts: ["what-litefs-costs", "one-door-for-writes", "moving-in-from-postgres"],
    callTitle: "Did my call come along?",
  });
  log(
    "Ada signs up on the source site, reads three posts and leaves a call; the copy does not have her yet",
  );
  const waitingBytes = await fixture.readPendingWalBytes();
  const followMs = await runVisibly(fixture, "follow", "--until-caught-up");
  const verifyMs = await runVisibly(fixture, "verify");

  const watching = new AbortController();
  const firstLogin = waitUntilKnown(
    fixture,
    ada,
    AbortSignal.any([watching.signal, shutdown.signal]),
  );
  try {
    await runVisibly(fixture, "cutover", "--site", site.url);
    setTimeout(() => watching.abort(), 5_000).unref();
    const knownAtMs = await firstLogin;
    const { committed, lastAcknowledgedAtMs, perSecond: reached } = await writer.stop();
    const pauseMs = knownAtMs - lastAcknowledgedAtMs;
    const verifiedMs = await runVisibly(fixture, "verify");
    const { checkedRows, problems, counterDifferences } = await fixture.checkLedger();
    for (const line of problems.slice(0, 10)) console.log(`  ${line}`);
    const me = await fetchPage(fixture, "/me", ada);
    const pages = [
      await fetchPage(fixture, "/"),
      await fetchPage(fixture, "/blog/what-litefs-costs"),
      await fetchPage(fixture, "/calls/mine", ada),
    ];
    const isServed =
      pages.every(({ status }) => status === 200) &&
      pages[2]!.text.includes(ada.callTitle!) &&
      me.text.includes("Ada") &&
      me.text.includes("You’ve finished 3 posts.");
    const rows: ResultRow[] = [
      {
        label: "copied and verified",
        text: `${formatCount(Number(initial!.rows))} rows and later writes in ${formatSeconds(copyMs)}, with plan, indexes and counters`,
      },
      {
        label: "written meanwhile",
        text: `${formatCount(committed)} transactions, ${Math.round(reached)} per second`,
      },
      {
        label: "follow",
        text: `${formatMegabytes(waitingBytes)} of the source's log, and later writes, in ${formatSeconds(followMs)}`,
      },
      {
        label: "verified under load",
        text: `every row of both sides in ${formatSeconds(verifyMs)}`,
      },
      {
        label: "pause",
        text: `${formatCount(pauseMs)} ms from the source site's last write until a member saw her page here`,
        ...(pauseMs < 2_000 && { ok: true }),
      },
      {
        label: "verified at the end",
        text: `every row of both sides in ${formatSeconds(verifiedMs)}`,
        ok: true,
      },
      {
        label: "rows lost",
        text: `${formatCount(problems.length)} of the ${formatCount(checkedRows)} writes that the source site acknowledged`,
        ok: problems.length === 0,
      },
      {
        label: "counters of reads",
        text: counterDifferences === 0 ? "correct" : `${counterDifferences} differ`,
        ok: counterDifferences === 0,
      },
      {
        label: "served",
        text: isServed
          ? "/, a post, and for Ada, still logged in, /me with her three reads and /calls/mine with her call"
          : `wrong: ${pages.map(({ status }) => status).join(", ")}, /me ${me.status}`,
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
  for (const { label, text, ok } of rows)
    console.log(`  ${ok === undefined ? " " : ok ? "✓" : "✗"} ${label.padEnd(20)} ${text}`);
  if (flags.exit) return;
  console.log(`\n  The migrated site is at ${site.url}\n`);
  console.log(`  As Ada, an admin of the source site: in the browser's console on that page`);
  console.log(`    document.cookie = "${ada.cookie.name}=${ada.cookie.value}; path=/"`);
  console.log(
    `  or log in as ${ada.email} at ${site.url}/login; the email is at ${/http\S+\/dev\/mail\/\S+/.exec(site.readOutput())?.[0]}`,
  );
  console.log(`\n  Press Ctrl-C to stop.\n`);
}

const startedMs = performance.now();
let fixture: MigrationFixture | undefined;
try {
  fixture = await createMigrationFixture({ sizes, perSecond, signal: shutdown.signal, log });
  const results = await runMigrationDemo(fixture);
  printResults(results, fixture);
  process.exitCode = results.rows.every(({ ok }) => ok !== false) ? 0 : 1;
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
if (shutdown.signal.aborted) log("stopping");
await fixture?.close();
log(`ended after ${formatSeconds(performance.now() - startedMs)}; all temporary files are removed`);
process.exit();
