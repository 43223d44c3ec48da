// Measures the start with many posts on disk, with a cold and a warm cache, and the latency of a
// page while the cold ones compile:
// npm run bench -- posts

import { rmSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { applyMigrations } from "#lib/db/migrations.ts";
import { writeManyPosts } from "./support/articles.ts";
import { type BenchSite, startBenchSite } from "./support/bench-site.ts";
import { printReport, readOption, round } from "./support/measurements.ts";
import { requireWrk, runWrk } from "./support/wrk.ts";

const DIR = ".data/bench-posts";
const PORT = 3131;
const POSTS = readOption("posts", 1_000);
const SECONDS = readOption("seconds", 5);
const COMPILE_TIMEOUT_MS = 300_000;
/** The newest post: it is compiled first. */
const NEWEST = `post-${POSTS - 1}`;

requireWrk();
const dataDir = join(DIR, "data");
const contentDir = join(DIR, "content");
writeManyPosts(contentDir, POSTS, (index) =>
  new Date(Date.UTC(2020, 0, 1 + index)).toISOString().slice(0, 10),
);
rmSync(dataDir, { recursive: true, force: true });
await applyMigrations(join(dataDir, "lectern.db"), "prisma/migrations");

/** Starts the site. Returns the times until the list and the newest post are there. */
async function start(): Promise<{ site: BenchSite; listMs: number; postMs: number }> {
  const startedMs = performance.now();
  const site = await startBenchSite({ port: PORT, dataDir, contentDir });
  const listMs = performance.now() - startedMs;
  const response = await fetch(`${site.url}/blog/${NEWEST}`);
  if (!(await response.text()).includes(`The ${POSTS - 1}th change.`))
    throw new Error(`The newest post has status ${response.status}.`);
  return { site, listMs, postMs: performance.now() - startedMs };
}

function countCompiled(): number {
  const db = new Database(join(dataDir, "cache.db"), { readonly: true });
  try {
    const row = db
      .prepare("SELECT count(*) AS posts FROM cache WHERE key LIKE 'site.compiled:%'")
      .get() as { posts: number };
    return row.posts;
  } finally {
    db.close();
  }
}

async function waitUntilCompiled(): Promise<void> {
  const untilMs = Date.now() + COMPILE_TIMEOUT_MS;
  while (countCompiled() < POSTS) {
    if (Date.now() > untilMs) throw new Error(`Only ${countCompiled()} of ${POSTS} posts compiled`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

const measurePage = (site: BenchSite) =>
  runWrk(`${site.url}/blog/${NEWEST}`, { seconds: SECONDS, connections: 1 });

const cold = await start();
const compiledAtStart = countCompiled();
const busy = await measurePage(cold.site);
const compiledWhileBusy = countCompiled();
const compileStartedMs = performance.now();
await waitUntilCompiled();
const compileMs = cold.postMs + SECONDS * 1_000 + performance.now() - compileStartedMs;
const coldRssMb = cold.site.rssMb();
await measurePage(cold.site); // the index is published now
const idle = await measurePage(cold.site);
await cold.site.stop();

const warm = await start();
for (const path of ["/", "/feed.xml", "/blog?q=tailwind"]) await fetch(warm.site.url + path);
await measurePage(warm.site);
const warmRssMb = warm.site.rssMb();
await warm.site.stop();

console.log(
  `${POSTS} posts, nothing cached: the list after ${round(cold.listMs / 1_000)} s and the newest post after ${round(cold.postMs / 1_000)} s, when ${compiledAtStart} were compiled; all after ${round(compileMs / 1_000)} s, ${coldRssMb} MB.`,
);
console.log(
  `Page p99: ${round(idle.p99Ms)} ms idle, ${round(busy.p99Ms)} ms while ${compiledWhileBusy - compiledAtStart} posts compile.`,
);
console.log(
  `With a warm cache: the list after ${round(warm.listMs / 1_000)} s, the newest post after ${round(warm.postMs / 1_000)} s, ${warmRssMb} MB.\n`,
);
printReport(
  "posts",
  {
    "p99 while compiling ÷ idle": round(busy.p99Ms / idle.p99Ms),
    "first page, warm ÷ cold": round(warm.postMs / cold.postMs),
  },
  {
    coldListSeconds: round(cold.listMs / 1_000),
    coldFirstPageSeconds: round(cold.postMs / 1_000),
    warmListSeconds: round(warm.listMs / 1_000),
    warmFirstPageSeconds: round(warm.postMs / 1_000),
    compileSeconds: round(compileMs / 1_000),
    coldRssMb,
    warmRssMb,
    idleP99Ms: round(idle.p99Ms),
    busyP99Ms: round(busy.p99Ms),
  },
);
