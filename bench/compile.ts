// Measures a cold compile of 200 posts with two workers, and the latency of a warm page during it:
// npm run bench -- compile

import { spawn } from "node:child_process";
import { cpSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeArticles, writeManyPosts } from "./support/articles.ts";
import { runWrk, requireWrk } from "./support/wrk.ts";
import { median, readOption, percentile, printReport, round } from "./support/measurements.ts";
import { startBenchSite } from "./support/bench-site.ts";
import { applyMigrations } from "#lib/db/migrations.ts";

const DIR = ".data/bench-compile";
const PORT = 3129;
const POSTS = readOption("posts", 200);
const ROUNDS = readOption("rounds", 3);

requireWrk();

/** Compiles all posts in a new process, with content:check. */
async function compileAll(): Promise<{ ms: number; peakMb: number }> {
  const child = spawn(
    process.execPath,
    ["cli/content-check/main.ts", "--dir", join(DIR, "many", "blog"), "--offline", "--json"],
    { env: { ...process.env, COMPILE_WORKERS: "2", LOG_LEVEL: "error" } },
  );
  let out = "";
  let peakMb = 0;
  child.stdout.on("data", (data: Buffer) => (out += data.toString()));
  const watch = setInterval(() => {
    try {
      peakMb = Math.max(
        peakMb,
        Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1] ?? 0) /
          1024,
      );
    } catch {
      // it has exited
    }
  }, 20);
  await new Promise((resolve) => child.on("close", resolve));
  clearInterval(watch);
  const { posts, ok, ms } = JSON.parse(out) as { posts: number; ok: number; ms: number };
  if (posts !== POSTS || ok !== POSTS) throw new Error(`${ok} of ${posts} posts compiled`);
  return { ms, peakMb };
}

writeManyPosts(join(DIR, "many"), POSTS);
const cold: { ms: number; peakMb: number }[] = [];
for (let i = 0; i < ROUNDS; i++) cold.push(await compileAll());

// The latency of a compiled page while the site compiles the others.
const idle: number[] = [];
const busy: number[] = [];
for (let i = 0; i < ROUNDS; i++) {
  const dataDir = join(DIR, "data");
  rmSync(dataDir, { recursive: true, force: true });
  await applyMigrations(join(dataDir, "lectern.db"), "prisma/migrations");
  writeArticles(join(DIR, "content"));
  const site = await startBenchSite({
    port: PORT,
    dataDir,
    contentDir: join(DIR, "content"),
    env: { COMPILE_WORKERS: "2" },
  });
  const page = (seconds: number) => runWrk(`${site.url}/blog/medium`, { seconds, connections: 1 });
  await page(2);
  idle.push((await page(5)).p99Ms);
  cpSync(join(DIR, "many", "blog"), join(DIR, "content", "blog"), { recursive: true });
  // The site checks its folder every fifteen seconds; the compile runs once a new post is listed.
  const started = async () =>
    (await (await fetch(`${site.url}/blog?page=1`)).text()).includes("post-1");
  const untilMs = Date.now() + 30_000;
  while (!(await started()) && Date.now() < untilMs)
    await new Promise((resolve) => setTimeout(resolve, 50));
  busy.push((await page(5)).p99Ms);
  await site.stop();
}

const ms = median(cold.map((run) => run.ms));
const peakMb = round(median(cold.map((run) => run.peakMb)), 0);
console.log(
  `${POSTS} posts, nothing cached, two workers: ${round(ms / 1000)} s (${round(ms / POSTS, 1)} ms per post), peak memory ${peakMb} MB.`,
);
console.log(
  `Page p99: ${round(median(idle))} ms idle, ${round(median(busy))} ms while they compile.\n`,
);
printReport(
  "compile",
  { "p99 while compiling ÷ idle": round(median(busy) / median(idle)) },
  {
    seconds: round(ms / 1000),
    peakMb,
    idleP99Ms: round(percentile(idle, 50)),
    busyP99Ms: round(percentile(busy, 50)),
  },
);
