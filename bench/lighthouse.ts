// Runs Lighthouse on the home page, a list, two posts and an episode, emulating a phone:
// npm run bench -- lighthouse

import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { launch } from "chrome-launcher";
import lighthouse from "lighthouse";
import { insertUser } from "#tests/support/factories.ts";
import { writeTo } from "#tests/support/write-to.ts";
import { episodeSlug } from "#lib/calls/publish.ts";
import { applyMigrations } from "#lib/db/migrations.ts";
import { median, readOption, printReport, round, printTable } from "./support/measurements.ts";
import { insertExampleEpisodes } from "../prisma/example-episodes.ts";
import { startBenchSite } from "./support/bench-site.ts";

const DIR = ".data/bench-lighthouse";
const PORT = 3130;
const ROUNDS = readOption("rounds", 3);
const EPISODE = "Why one file and not a server?";
const CATEGORIES = ["performance", "accessibility", "best-practices", "seo"] as const;
const chromePath =
  process.env.CHROMIUM_PATH ??
  ["/usr/bin/chromium", "/usr/bin/google-chrome"].find((path) => existsSync(path));

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
const chrome = await launch({
  chromePath,
  chromeFlags: [
    "--headless",
    ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});

const scores: Record<string, Record<string, number>> = {};
try {
  for (const path of PATHS) {
    const runs: Record<string, number>[] = [];
    for (let i = 0; i < ROUNDS; i++) {
      const result = await lighthouse(site.url.replace("127.0.0.1", "localhost") + path, {
        port: chrome.port,
        output: "json",
        logLevel: "error",
        onlyCategories: [...CATEGORIES],
      });
      if (!result) throw new Error(`Lighthouse returned no result for ${path}`);
      runs.push(
        Object.fromEntries(
          CATEGORIES.map((name) => [name, (result.lhr.categories[name]?.score ?? 0) * 100]),
        ),
      );
    }
    scores[path] = Object.fromEntries(
      CATEGORIES.map((name) => [name, round(median(runs.map((run) => run[name] as number)), 0)]),
    );
  }
} finally {
  chrome.kill();
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
