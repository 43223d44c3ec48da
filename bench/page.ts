// Measures the post page, compared with an empty page, the same article as a static page, the same
// page rendered by Next, and the same page with its data read in plain SQL, or constant:
// npm run bench -- page
// All pages are from one production build, in one process per kind of data. Requests are
// interleaved; results are medians.

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

/** Processes of the same build on the same database, which differ by these settings. */
const VARIANTS = {
  ours: {},
  next: { PAGE_CACHE: "off" },
  sql: { BENCH_PAGE_DATA: "sql" },
  constants: { BENCH_PAGE_DATA: "constants" },
};
type Variant = keyof typeof VARIANTS;
type Sites = Readonly<Partial<Record<Variant, BenchSite>>>;

async function startSites<Name extends Variant>(reads: number, variants: readonly Name[]) {
  const dataDir = join(DIR, `reads-${reads}`);
  const file = join(dataDir, "lectern.db");
  const member = await createBenchDatabase(file, {
    reads,
    slugs: articles.map(({ slug }) => slug),
  });
  const db = new Database(file);
  const { name, value } = await insertMemberSession(db, member, BENCH_SESSION_SECRET);
  db.close();
  const sites = {} as Record<Name, BenchSite>;
  for (const [index, variant] of variants.entries())
    sites[variant] = await startBenchSite({
      port: PORT + index,
      dataDir,
      contentDir: join(DIR, "content"),
      env: { COMPILE_WORKERS: "1", ...VARIANTS[variant] },
    });
  return {
    sites,
    cookie: `${name}=${value}`,
    stop: () => Promise.all(variants.map((variant) => sites[variant].stop())),
  };
}

interface PageTarget {
  readonly name: string;
  readonly variant?: Variant;
  readonly path: string;
  readonly headers?: Record<string, string>;
}

/**
 * Returns the median requests per second. Each round measures every target, so that a slow minute
 * affects all of them.
 */
async function measureRates(
  sites: Sites,
  targets: readonly PageTarget[],
): Promise<Map<string, number>> {
  const rates = new Map(targets.map(({ name }) => [name, [] as number[]]));
  const urlOf = ({ variant = "ours", path }: PageTarget) => sites[variant]!.url + path;
  for (const target of targets)
    await runWrk(urlOf(target), { seconds: 1, headers: target.headers });
  for (let round = 0; round < ROUNDS; round++) {
    for (const target of targets) {
      const { name, headers } = target;
      const { perSecond, failed } = await runWrk(urlOf(target), { seconds: SECONDS, headers });
      if (failed > 0) throw new Error(`${name}: ${failed} responses were not 2xx`);
      rates.get(name)?.push(perSecond);
    }
  }
  return new Map([...rates].map(([name, values]) => [name, median(values)]));
}

function targetsFor({ slug }: Article, cookie: string): PageTarget[] {
  const path = `/blog/${slug}`;
  const headers = { cookie };
  return [
    { name: `${slug}: static`, path: `/baseline/static/${slug}` },
    { name: `${slug}: anonymous`, path },
    { name: `${slug}: constants`, variant: "constants", path, headers },
    { name: `${slug}: plain SQL`, variant: "sql", path, headers },
    { name: `${slug}: member`, path, headers },
    { name: `${slug}: member, through Next`, variant: "next", path, headers },
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

const { sites, cookie, stop } = await startSites(500_000, ["ours", "next", "sql", "constants"]);
const rates = await measureRates(sites, [
  { name: "empty dynamic page", path: "/baseline/empty" },
  ...articles.flatMap((article) => targetsFor(article, cookie)),
]);
const zipped = await measureRates(sites, [
  { name: "static", path: "/baseline/static/medium", headers: { "accept-encoding": "gzip" } },
  { name: "anonymous", path: "/blog/medium", headers: { "accept-encoding": "gzip" } },
]);
const idle = {
  anonymous: await measureFirstByteMs(`${sites.ours.url}/blog/medium`, {}),
  member: await measureFirstByteMs(`${sites.ours.url}/blog/medium`, { cookie }),
};

await stop();

// Memory over 20,000 requests, in a fresh process.
const restarted = await startSites(500_000, ["ours"]);
const fresh = restarted.sites.ours;
const rss: number[] = [fresh.rssMb()];
for (let sent = 0; sent < 20_000;) {
  for (const { path, headers } of articles.flatMap((article) =>
    targetsFor(article, cookie).filter(({ name }) => /: (anonymous|member)$/.test(name)),
  )) {
    sent += (await runWrk(fresh.url + path, { seconds: 2, headers })).perSecond * 2;
    rss.push(fresh.rssMb());
  }
}
await restarted.stop();

const many = await startSites(MANY_READS, ["ours"]);
const manyRates = await measureRates(
  many.sites,
  targetsFor(articles[1] as Article, many.cookie).filter(({ name }) =>
    /: (anonymous|member)$/.test(name),
  ),
);
await many.stop();

const rate = (name: string) => rates.get(name) as number;
const floor = rate("empty dynamic page");
printTable(
  ["", "requests/s", "÷ static", "÷ constants", "÷ plain SQL", "÷ through Next", "÷ empty dynamic"],
  [...rates].map(([name, value]) => {
    const [slug] = name.split(":");
    return [
      name,
      Math.round(value),
      ...(rates.has(`${slug}: static`)
        ? ["static", "constants", "plain SQL", "member, through Next"].map((peer) =>
            round(value / rate(`${slug}: ${peer}`)),
          )
        : ["", "", "", ""]),
      round(value / floor),
    ];
  }),
);
const ratios = Object.fromEntries(
  articles.flatMap(({ slug }) => [
    [`${slug} anonymous ÷ static`, round(rate(`${slug}: anonymous`) / rate(`${slug}: static`))],
    [`${slug} member ÷ plain SQL`, round(rate(`${slug}: member`) / rate(`${slug}: plain SQL`))],
    [`${slug} member ÷ constants`, round(rate(`${slug}: member`) / rate(`${slug}: constants`))],
    [
      `${slug} member ÷ through Next`,
      round(rate(`${slug}: member`) / rate(`${slug}: member, through Next`)),
    ],
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
