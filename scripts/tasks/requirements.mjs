// Finds the programs that tests and benchmarks need: Chromium, PostgreSQL, ffmpeg, LiteFS and Consul.
// Installs system packages only as root in CI, or when LECTERN_INSTALL=1 asks for it.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { POSTGRES_MISSING, findPostgres } from "../find-postgres.mjs";
import { Stop, bin, run, say } from "./run.mjs";

const mayInstall = () =>
  (process.env.CI || process.env.LECTERN_INSTALL === "1") &&
  process.getuid?.() === 0 &&
  existsSync("/usr/bin/apt-get");

/** Installs Debian packages where that is allowed. Returns whether it tried. */
export async function installSystemPackages(packages, args = []) {
  if (!mayInstall()) return false;
  say(`installing ${packages.join(" ")} from the system's packages`);
  await run("apt-get", ["update", "-qq"], { quiet: true });
  await run("apt-get", ["install", "-y", "-qq", ...args, ...packages], {
    quiet: true,
    env: { DEBIAN_FRONTEND: "noninteractive" },
  });
  return true;
}

/** Chromium without a UI: it opens a page in a new context four times as fast. */
const HEADLESS_SHELL = "chromium-headless-shell";
const CHROMIUM_PATHS = [
  `/usr/bin/${HEADLESS_SHELL}`,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

function playwrightChromium() {
  const { stdout } = spawnSync(
    process.execPath,
    ["-e", "console.log(require('playwright').chromium.executablePath())"],
    { encoding: "utf8" },
  );
  const path = stdout?.trim();
  return path && existsSync(path) ? path : undefined;
}

/** The shell has no windows, which `--headed` and `--ui` show. */
const findChromium = (hasWindows) =>
  process.env.CHROMIUM_PATH ??
  CHROMIUM_PATHS.find(
    (path) => existsSync(path) && !(hasWindows && path.endsWith(HEADLESS_SHELL)),
  ) ??
  playwrightChromium();

let hasTriedShell = false;

/** Returns the path of a Chromium: the system's, else Playwright's own, downloaded if need be. */
export async function requireChromium({ hasWindows = false } = {}) {
  if (!hasTriedShell && !process.env.CHROMIUM_PATH && !existsSync(CHROMIUM_PATHS[0])) {
    hasTriedShell = true;
    await installSystemPackages([HEADLESS_SHELL]);
  }
  if (!findChromium(hasWindows) && !(await installSystemPackages(["chromium"]))) {
    say("downloading Playwright's Chromium");
    await run(process.execPath, [bin("playwright"), "install", "chromium"], { quiet: true });
  }
  const path = findChromium(hasWindows);
  if (!path)
    throw new Stop(
      `The browser tests need Chromium. Install it (Debian: sudo apt install ${HEADLESS_SHELL}), or set CHROMIUM_PATH.`,
    );
  return path;
}

async function hasPostgres() {
  if (!findPostgres()) await installSystemPackages(["postgresql"], ["--no-install-recommends"]);
  return findPostgres() !== null;
}

export async function requirePostgres() {
  if (!(await hasPostgres())) throw new Stop(POSTGRES_MISSING);
}

/** For the tests: without PostgreSQL, those of the migration count as skipped. */
export async function preparePostgres() {
  if (!(await hasPostgres())) say(`skipping the migration's tests: ${POSTGRES_MISSING}`);
}

const hasFfmpeg = () => spawnSync(process.env.FFMPEG_PATH || "ffmpeg", ["-version"]).status === 0;

/** Without ffmpeg, the tests that merge audio are skipped, except in CI. */
export async function prepareFfmpeg() {
  if (!hasFfmpeg()) await installSystemPackages(["ffmpeg"], ["--no-install-recommends"]);
  if (!hasFfmpeg())
    say(
      "skipping tests that merge audio: install ffmpeg (Debian and Ubuntu: sudo apt install ffmpeg)",
    );
}

/**
 * Prepares LiteFS and Consul. Returns what is missing, a sentence each; empty if a cluster can run.
 */
export async function prepareCluster() {
  // The image's build has no cli/cluster.
  const { prepareCluster: prepare } = await import("../../cli/cluster/prepare-cluster.mjs");
  return prepare({ installSystemPackages });
}

export async function requireCluster() {
  const missing = await prepareCluster();
  if (missing.length > 0)
    throw new Stop(`A cluster can't run here:\n${missing.map((line) => `  ${line}`).join("\n")}`);
}
