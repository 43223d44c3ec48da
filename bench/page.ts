// Measures the post page, compared with an empty page, the same article as a static page, and the
// same page with its data read in plain SQL, or constant:
// npm run bench -- page
// All pages are from one production build. Requests are interleaved; results are medians.

import { join } from "node:path";
import Database from "better-sqlite3";
import { insertMemberSession } from "#tests/support/e2e/member-session.ts";
import { type Article, writeArticles } from "./support/articles.ts";
import { createBenchDatabase } from "./support/bench-database.ts";
import { runWrk, requireWrk } from "./support/wrk.ts";
import {
  median,
  readOption,
  percentile,
  printReport,
  round,
  printTable,
} from "./support/measurements.ts";
import { BENCH_SESSION_SECRET, type BenchSite, startBenchSite } from "./support/bench-site.ts";

const DIR = ".data/bench";
const PORT = 3127;
const ROUNDS = readOption("rounds", 5);
const SECONDS = readOption("seconds", 4);
const MANY_READS = readOption("many", 5_000_000);

requireWrk();
const articles = writeArticles(join(DIR, "content"));
console.log(
  `${articles.map(({ slug, words, fences }) => `${slug}: ${words} words, ${fences} code fences`).join("; ")}. ${ROUNDS} rounds of ${SECONDS} s, 16 connections.\n`,
);

async function startPageBench(reads: number): Promise<{ site: BenchSite; cookie: string }> {
  const dataDir = join(DIR, `reads-${reads}`);
  const file = join(dataDir, "lectern.db");
  const member = await createBenchDatabase(file, {
    reads,
    slugs: articles.map(({ slug }) => slug),
  });
  const db = new Database(file);
  const { name, value } = await insertMemberSession(db, member, BENCH_SESSION_SECRET);
  db.close();
  return {
    site: await startBenchSite({
      port: PORT,
      dataDir,
      contentDir: join(DIR, "content"),
      env: { COMPILE_WORKERS: "1" },
    }),
    cookie: `${name}=${value}`,
  };
}

interface PageTarget {
  readonly name: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
}

/**
 * Returns the median requests per second. Each round measures every target, so that a slow minute
 * affects all of them.
 */
async function measureRates(
  site: BenchSite,
  targets: readonly PageTarget[],
): Promise<Map<string, number>> {
  const rates = new Map(targets.map(({ name }) => [name, [] as number[]]));
  for (const { path, headers } of targets) await runWrk(site.url + path, { seconds: 1, headers });
  for (let round = 0; round < ROUNDS; round++) {
    for (const { name, path, headers } of targets) {
      const { perSecond, failed } = await runWrk(site.url + path, { seconds: SECONDS, headers });
      if (failed > 0) throw new Error(`${name}: ${failed} responses were not 2xx`);
      rates.get(name)?.push(perSecond);
    }
  }
  return new Map([...rates].map(([name, values]) => [name, median(values)]));
}

function targetsFor({ slug }: Article, cookie: string): PageTarget[] {
  return [
    { name: `${slug}: static`, path: `/baseline/static/${slug}` },
    { name: `${slug}: anonymous`, path: `/blog/${slug}` },
    { name: `${slug}: constants`, path: `/baseline/constants/${slug}` },
    { name: `${slug}: plain SQL`, path: `/baseline/sql/${slug}`, headers: { cookie } },
    { name: `${slug}: member`, path: `/blog/${slug}`, headers: { cookie } },
  ];
}

/** Returns the times to the first byte on an idle site, with sequential requests. */
async function measureFirstByteMs(
  url: string,
  headers: Record<string, string>,
  count = 200,
): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    const startedMs = performance.now();
    const response = await fetch(url, { headers });
    times.push(performance.now() - startedMs);
    await response.arrayBuffer();
  }
  return times.slice(20);
}

const { site, cookie } = await startPageBench(500_000);
const rates = await measureRates(site, [
  { name: "empty dynamic page", path: "/baseline/empty" },
  ...articles.flatMap((article) => targetsFor(article, cookie)),
]);
const zipped = await measureRates(site, [
  { name: "static", path: "/baseline/static/medium", headers: { "accept-encoding": "gzip" } },
  { name: "anonymous", path: "/blog/medium", headers: { "accept-encoding": "gzip" } },
]);
const idle = {
  anonymous: await measureFirstByteMs(`${site.url}/blog/medium`, {}),
  member: await measureFirstByteMs(`${site.url}/blog/medium`, { cookie }),
};

await site.stop();

// Memory over 20,000 requests, in a fresh process.
const fresh = (await startPageBench(500_000)).site;
const rss: number[] = [fresh.rssMb()];
for (let sent = 0; sent < 20_000;) {
  for (const { path, headers } of articles.flatMap((article) =>
    targetsFor(article, cookie).filter((target) => target.path.startsWith("/blog/")),
  )) {
    sent += (await runWrk(fresh.url + path, { seconds: 2, headers })).perSecond * 2;
    rss.push(fresh.rssMb());
  }
}
await fresh.stop();

const many = await startPageBench(MANY_READS);
const manyRates = await measureRates(
  many.site,
  targetsFor(articles[1] as Article, many.cookie).filter(({ name }) =>
    /anonymous|member/.test(name),
  ),
);
await many.site.stop();

const rate = (name: string) => rates.get(name) as number;
const floor = rate("empty dynamic page");
printTable(
  ["", "requests/s", "÷ static", "÷ constants", "÷ plain SQL", "÷ empty dynamic"],
  [...rates].map(([name, value]) => {
    const [slug] = name.split(":");
    return [
      name,
      Math.round(value),
      ...(rates.has(`${slug}: static`)
        ? ["static", "constants", "plain SQL"].map((peer) =>
            round(value / rate(`${slug}: ${peer}`)),
          )
        : ["", "", ""]),
      round(value / floor),
    ];
  }),
);
const ratios = Object.fromEntries(
  articles.flatMap(({ slug }) => [
    [`${slug} anonymous ÷ static`, round(rate(`${slug}: anonymous`) / rate(`${slug}: static`))],
    [`${slug} member ÷ plain SQL`, round(rate(`${slug}: member`) / rate(`${slug}: plain SQL`))],
    [`${slug} member ÷ constants`, round(rate(`${slug}: member`) / rate(`${slug}: constants`))],
    [`${slug} member ÷ empty dynamic`, round(rate(`${slug}: member`) / floor)],
  ]),
);
ratios["medium anonymous ÷ static, gzip"] = round(
  (zipped.get("anonymous") as number) / (zipped.get("static") as number),
);
ratios[`medium member, ${MANY_READS} ÷ 500000 reads`] = round(
  (manyRates.get("medium: member") as number) / rate("medium: member"),
);
ratios[`medium anonymous, ${MANY_READS} ÷ 500000 reads`] = round(
  (manyRates.get("medium: anonymous") as number) / rate("medium: anonymous"),
);
const half = rss.slice(Math.floor(rss.length / 2));
const numbers = {
  requestsPerSecond: Object.fromEntries(
    [...rates].map(([name, value]) => [name, Math.round(value)]),
  ),
  firstByteP50Ms: {
    anonymous: round(percentile(idle.anonymous, 50)),
    member: round(percentile(idle.member, 50)),
  },
  rssMb: {
    start: rss[0],
    end: rss.at(-1),
    lastHalfMin: Math.min(...half),
    lastHalfMax: Math.max(...half),
  },
};
console.log(
  `\nFirst byte on an idle site, p50: anonymous ${numbers.firstByteP50Ms.anonymous} ms, member ${numbers.firstByteP50Ms.member} ms.`,
);
console.log(`Memory over 20,000 requests: ${rss.join(", ")} MB.\n`);
printReport("page", ratios, numbers);
