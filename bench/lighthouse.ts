// Runs Lighthouse on the home page, a list, two posts and an episode, emulating a phone:
// npm run bench -- lighthouse

import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { insertUser } from "#tests/support/factories.ts";
import { writeTo } from "#tests/support/write-to.ts";
import { episodeSlug } from "#lib/calls/publish.ts";
import { applyMigrations } from "#lib/db/migrations.ts";
import { installPackages } from "./support/install-packages.ts";
import { median, readOption, printReport, round, printTable } from "./support/measurements.ts";
import { insertExampleEpisodes } from "../prisma/example-episodes.ts";
import { startBenchSite } from "./support/bench-site.ts";

const DIR = ".data/bench-lighthouse";
const AUDIT_TIMEOUT_MS = 180_000;
/** Lighthouse is large, so only this benchmark installs it. */
const LIGHTHOUSE_DIR = resolve(".data", "lighthouse");
const PORT = 3130;
const ROUNDS = readOption("rounds", 3);
const EPISODE = "Why one file and not a server?";
const CATEGORIES = ["performance", "accessibility", "best-practices", "seo"] as const;
/** Lighthouse adds flags that turn off Chrome's background work. */
const CHROME_FLAGS = [
  "--headless",
  ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
  "--disable-gpu",
  "--disable-quic",
];
const chromePath =
  process.env.CHROMIUM_PATH ??
  ["/usr/bin/chromium", "/usr/bin/google-chrome"].find((path) => existsSync(path));

cpSync(join("bench", "lighthouse"), LIGHTHOUSE_DIR, { recursive: true });
installPackages(LIGHTHOUSE_DIR);

rmSync(DIR, { recursive: true, force: true });
mkdirSync(DIR, { recursive: true });
const database = join(DIR, "lectern.db");
await applyMigrations(database, "prisma/migrations");
await writeTo(database, (tx) => insertExampleEpisodes(tx, [insertUser(tx)], Date.now()));
const PATHS = [
  "/",
  "/blog",
  "/blog/one-door-for-writes",
  "/blog/a-tour-of-the-code",
  `/calls/${episodeSlug(1, EPISODE)}`,
];
const site = await startBenchSite({ port: PORT, dataDir: DIR, contentDir: "content" });

/** Returns the score of each category, from 0 to 100. */
async function audit(url: string): Promise<Record<string, number>> {
  const args = [
    join(LIGHTHOUSE_DIR, "node_modules", "lighthouse", "cli", "index.js"),
    url,
    "--quiet",
    "--output=json",
    "--no-enable-error-reporting",
    `--only-categories=${CATEGORIES.join(",")}`,
    `--chrome-flags=${CHROME_FLAGS.join(" ")}`,
  ];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    env: { ...process.env, ...(chromePath && { CHROME_PATH: chromePath }) },
    maxBuffer: 64 * 1_048_576,
    timeout: AUDIT_TIMEOUT_MS,
  });
  const { categories } = JSON.parse(stdout) as {
    categories: Record<string, { score: number | null }>;
  };
  return Object.fromEntries(CATEGORIES.map((name) => [name, (categories[name]?.score ?? 0) * 100]));
}

const scores: Record<string, Record<string, number>> = {};
try {
  for (const path of PATHS) {
    const runs: Record<string, number>[] = [];
    for (let i = 0; i < ROUNDS; i++)
      runs.push(await audit(site.url.replace("127.0.0.1", "localhost") + path));
    scores[path] = Object.fromEntries(
      CATEGORIES.map((name) => [name, round(median(runs.map((run) => run[name] as number)), 0)]),
    );
  }
} finally {
  await site.stop();
}
printTable(
  ["phone", ...CATEGORIES],
  PATHS.map((path) => [path, ...CATEGORIES.map((name) => scores[path]?.[name] as number)]),
);
console.log();
printReport(
  "lighthouse",
  Object.fromEntries(
    CATEGORIES.map((name) => [
      `lowest ${name}`,
      Math.min(...PATHS.map((path) => scores[path]?.[name] as number)),
    ]),
  ),
  scores,
);
