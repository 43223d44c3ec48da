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
/** A new process doubles its rate within its first three seconds of load. */
const WARM_UP_SECONDS = 4;
const FEW_READS = 500_000;
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

async function startSites<Name extends Variant>(
  reads: number,
  variants: readonly Name[],
  firstPort = PORT,
) {
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
      port: firstPort + index,
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
  readonly url: string;
  readonly headers?: Record<string, string>;
}

/**
 * Returns the median requests per second. Each round measures every target, so that a slow minute
 * affects all of them.
 */
async function measureRates(targets: readonly PageTarget[]): Promise<Map<string, number>> {
  const rates = new Map(targets.map(({ name }) => [name, [] as number[]]));
  for (const target of targets)
    await runWrk(target.url, { seconds: WARM_UP_SECONDS, headers: target.headers });
  for (let round = 0; round < ROUNDS; round++) {
    for (const { name, url, headers } of targets) {
      const { perSecond, failed } = await runWrk(url, { seconds: SECONDS, headers });
      if (failed > 0) throw new Error(`${name}: ${failed} responses were not 2xx`);
      rates.get(name)?.push(perSecond);
    }
  }
  return new Map([...rates].map(([name, values]) => [name, median(values)]));
}

/** Returns the targets of every variant in `sites`, each with a label before its name. */
function targetsFor(
  { sites, cookie }: { sites: Sites; cookie: string },
  { slug }: Article,
  label = slug,
): PageTarget[] {
  const path = `/blog/${slug}`;
  const headers = { cookie };
  const memberTarget = (name: string, site?: BenchSite) =>
    site ? [{ name: `${label}: ${name}`, url: site.url + path, headers }] : [];
  return [
    { name: `${label}: anonymous`, url: sites.ours!.url + path },
    ...memberTarget("constants", sites.constants),
    ...memberTarget("plain SQL", sites.sql),
    ...memberTarget("member", sites.ours),
    ...memberTarget("member, through Next", sites.next),
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

const all = await startSites(FEW_READS, ["ours", "next", "sql", "constants"]);
const { url } = all.sites.ours;
const rates = await measureRates([
  { name: "empty dynamic page", url: `${url}/baseline/empty` },
  ...articles.flatMap((article) => [
    { name: `${article.slug}: static`, url: `${url}/baseline/static/${article.slug}` },
    ...targetsFor(all, article),
  ]),
]);
const gzip = { "accept-encoding": "gzip" };
const zipped = await measureRates([
  { name: "static", url: `${url}/baseline/static/medium`, headers: gzip },
  { name: "anonymous", url: `${url}/blog/medium`, headers: gzip },
]);
const idle = {
  anonymous: await measureFirstByteMs(`${url}/blog/medium`, {}),
  member: await measureFirstByteMs(`${url}/blog/medium`, { cookie: all.cookie }),
};

await all.stop();

// Memory over 20,000 requests, in a fresh process.
const restarted = await startSites(FEW_READS, ["ours"]);
const fresh = restarted.sites.ours;
const rss: number[] = [fresh.rssMb()];
for (let sent = 0; sent < 20_000;) {
  for (const target of articles.flatMap((article) => targetsFor(restarted, article))) {
    sent += (await runWrk(target.url, { seconds: 2, headers: target.headers })).perSecond * 2;
    rss.push(fresh.rssMb());
  }
}

await restarted.stop();

// Two processes of the same age: one that has served more requests is faster.
const few = await startSites(FEW_READS, ["ours"]);
const many = await startSites(MANY_READS, ["ours"], PORT + 1);
const sizeRates = await measureRates([
  ...targetsFor(few, articles[1]!, "few"),
  ...targetsFor(many, articles[1]!, "many"),
]);
await Promise.all([few.stop(), many.stop()]);

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
for (const reader of ["member", "anonymous"])
  ratios[`medium ${reader}, ${MANY_READS} ÷ ${FEW_READS} reads`] = round(
    sizeRates.get(`many: ${reader}`)! / sizeRates.get(`few: ${reader}`)!,
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
