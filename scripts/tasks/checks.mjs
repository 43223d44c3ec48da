// Runs the checks, sums their results, and prints them in the last line of `npm test`.

import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join, resolve } from "node:path";
import { formatFailures, readPlaywright, readVitest } from "../test-report.mjs";
import { prepareCluster, requireChromium } from "./requirements.mjs";
import { bin, must, run, say } from "./run.mjs";
import { build, buildImage } from "./setup.mjs";

const REPORTS = join(".data", "reports");
const total = { passed: 0, failed: 0, skipped: 0, failures: [] };

function add(name, { passed = 0, failed = 0, skipped = 0, failures = [] }) {
  total.passed += passed;
  total.failed += failed;
  total.skipped += skipped;
  total.failures.push(...failures.map((one) => ({ ...one, name: `${name}: ${one.name}` })));
}

/** Programs and workers that tests start load the same modules repeatedly. */
const NODE_COMPILE_CACHE = resolve(".data", "compile-cache");

const since = (startMs) => `${((Date.now() - startMs) / 1000).toFixed(1)} s`;

/** Counts a program as one test: passed if it exits with 0. */
async function check(name, command, args) {
  const startMs = Date.now();
  let output = "";
  const code = await run(command, args, { quiet: true, onFailure: (text) => (output = text) });
  add(
    name,
    code === 0 ? { passed: 1 } : { failed: 1, failures: [{ name: `exited with ${code}`, output }] },
  );
  say(`${name}: ${code === 0 ? "ok" : "FAILED"} (${since(startMs)})`);
}

/** Runs a test runner and adds the counts of its JSON report. */
async function runWithReport(name, report, runner, read) {
  const startMs = Date.now();
  rmSync(report, { force: true });
  mkdirSync(dirname(report), { recursive: true });
  const code = await runner();
  const counts = existsSync(report)
    ? read(JSON.parse(readFileSync(report, "utf8")))
    : { passed: 0, failed: 0, skipped: 0 };
  // A runner that fails without a failed test (a crash, no tests found) must count as a failure.
  if (code !== 0 && counts.failed === 0)
    Object.assign(counts, {
      failed: 1,
      failures: [{ name: `exited with ${code}, and no test failed`, output: "" }],
    });
  add(name, counts);
  const { passed, failed, skipped } = counts;
  say(`${name}: ${passed} passed, ${failed} failed, ${skipped} skipped (${since(startMs)})`);
}

const npx = (name, program, args) => check(name, process.execPath, [bin(program), ...args]);

/** Checks formatting, import rules, unused code, wording, types and lint rules. */
export async function lint() {
  await lintWithoutTypes();
  await must(
    run(process.execPath, [bin("next"), "typegen"], { quiet: true }),
    "Next could not generate the route types.",
  );
  await lintWithTypes();
}

async function lintWithoutTypes() {
  await npx("format", "prettier", ["--check", "--log-level", "warn", "--cache", "."]);
  await imports();
  await knip();
  await check("wording", process.execPath, ["scripts/check-wording.mjs"]);
}

/** Checks types and lint rules. Needs the route types that Next generates. */
const lintWithTypes = () =>
  // Oxlint skips files that Git ignores, unless they are named.
  npx("types and lint", "oxlint", ["--type-check", ".", ".next/types/validator.ts"]);

const imports = () =>
  npx("imports", "depcruise", [
    "--config",
    ".dependency-cruiser.cjs",
    ...["app", "components", "lib", "server", "cli", "scripts", "tests", "e2e", "bench", "prisma"],
    "instrumentation.ts",
    "middleware.ts",
  ]);

export const knip = () => npx("unused code", "knip", ["--no-progress"]);

/** Compiles every post. */
export const content = () =>
  check("content", process.execPath, [
    "--disable-warning=ExperimentalWarning",
    "cli/content-check/main.ts",
    "--offline",
  ]);

/**
 * Runs the unit tests. Many wait for programs, so each core has two workers. Beside the cluster,
 * whose tests check deadlines, there is only one more worker than cores.
 */
export function unit(args, { isBesideCluster = false } = {}) {
  const report = join(REPORTS, "unit.json");
  const cores = availableParallelism();
  const prefix = isBesideCluster ? "unit" : undefined;
  const vitest = [
    bin("vitest"),
    "run",
    `--maxWorkers=${isBesideCluster ? cores + 1 : 2 * cores}`,
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
    ...args,
  ];
  const start = () =>
    run(process.execPath, vitest, { env: { NODE_ENV: "test", NODE_COMPILE_CACHE }, prefix });
  return runWithReport("unit", report, start, readVitest);
}

function playwright(name, args, env, prefix) {
  const report = join(REPORTS, `${name.replace(" ", "-")}.json`);
  const start = () =>
    run(process.execPath, [bin("playwright"), "test", "--reporter=list,json", ...args], {
      env: { ...env, PLAYWRIGHT_JSON_OUTPUT_NAME: report, NODE_COMPILE_CACHE },
      prefix,
    });
  return runWithReport(name, report, start, readPlaywright);
}

/** Runs the browser tests, each worker with its own site. */
export async function e2e(args) {
  const hasWindows = args.some((arg) => /^--(headed|debug|ui)/.test(arg));
  const env = { CHROMIUM_PATH: await requireChromium({ hasWindows }) };
  await build();
  await playwright("e2e", args, env);
}

/** Patterns for the longest browser test file, which the cluster's lane runs, and the others. */
const E2E_PARTS = { record: "/e2e/record\\.", others: "/e2e/(?!record\\.)" };

/** Runs a part of the browser tests. The workers' sites are numbered from `firstSite`. */
async function runE2ePart(part, { workers, firstSite }) {
  const env = {
    CHROMIUM_PATH: await requireChromium(),
    E2E_WORKERS: String(workers),
    E2E_FIRST_SITE: String(firstSite),
  };
  const output = `--output=${join(".data", "test-results", part)}`;
  await playwright(`e2e ${part}`, [E2E_PARTS[part], output], env, `e2e ${part}`);
}

/**
 * Tests the site as several instances on LiteFS. Where that can't run, the tests are skipped with a
 * reason. Returns whether they run. `built` is the site's build, if it has started.
 */
export async function cluster(args, prefix, built) {
  const missing = await prepareCluster();
  await built;
  for (const line of missing) say(`no cluster here: ${line}`);
  if (missing.length === 0)
    await must(buildImage([], { quiet: true }), "The image could not be built.");
  const env =
    missing.length === 0
      ? { CHROMIUM_PATH: await requireChromium() }
      : { CHROMIUM_PATH: "", CLUSTER_MISSING: missing.join("\n") };
  await playwright("cluster", ["-c", "playwright.cluster.config.ts", ...args], env, prefix);
  return missing.length === 0;
}

/** The browser tests whose pages a replica answers and whose writes the primary makes. */
export async function members(args, prefix) {
  const env = { CHROMIUM_PATH: await requireChromium() };
  await playwright("members", ["-c", "playwright.members.config.ts", ...args], env, prefix);
}

/** Checks that need no build: lint in parallel with the unit tests. */
export const quick = (args) => settle([lint(), unit(args)]);

/**
 * Runs every check in two lanes that end at about the same time. The cluster's tests mostly wait
 * for leases, so the other lane can use most of the CPU.
 */
export async function all(args) {
  await requireChromium(); // before the lanes, so that no two of them install packages at the same time
  const built = build();
  const lanes = [
    (async () => {
      if (await cluster([], "cluster", built)) await members([], "members");
      await runE2ePart("record", { workers: 1, firstSite: 2 });
    })(),
    (async () => {
      await lintWithoutTypes();
      await content();
      // The build rewrites the route types.
      await built;
      await lintWithTypes();
      await unit(args, { isBesideCluster: true });
      await runE2ePart("others", { workers: 2, firstSite: 0 });
    })(),
  ];
  await settle(lanes);
}

/**
 * Waits for every lane, so that none is still running after the summary, then throws the first
 * error.
 */
async function settle(lanes) {
  for (const { reason } of await Promise.allSettled(lanes)) if (reason) throw reason;
}

/** Prints the failures and the closing line. Returns the exit code. */
export function summarize() {
  const text = formatFailures(total.failures);
  if (text) console.log(`\n${text}`);
  const skipped = total.skipped ? `, ${total.skipped} skipped` : "";
  console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`);
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}
