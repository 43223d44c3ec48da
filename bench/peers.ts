// Measures the post page against what an owner would pick instead, with the same article and database:
// npm run bench -- peers
// Every peer is built and started as its community deploys it (bench/peers). Requests are
// interleaved; results are medians. --ghost 0 leaves Ghost out, which takes minutes to install.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { overrideEnv } from "#tests/support/override-env.ts";
import { insertMemberSession } from "#tests/support/e2e/member-session.ts";
import { issueDwellToken } from "#lib/reading/dwell-token.ts";
import { writeArticleModules } from "./peers/article.ts";
import { PEERS_DIR } from "./peers/folders.ts";
import { installGhost, startGhost } from "./peers/ghost.ts";
import {
  type MixedResult,
  type MixedTarget,
  makePeerBeacon,
  measureMixed,
} from "./peers/mixed-load.ts";
import { type PageWeight, measurePageWeight } from "./peers/page-weight.ts";
import { insertPeerSession } from "./peers/peer-session.ts";
import { preparePackages } from "./peers/prepare-packages.ts";
import { startPeer } from "./peers/start-peer.ts";
import { type Peers, type Target, checkTarget, listTargets } from "./peers/targets.ts";
import { writeArticles } from "./support/articles.ts";
import { createBenchDatabase } from "./support/bench-database.ts";
import { BENCH_SESSION_SECRET, startBenchSite } from "./support/bench-site.ts";
import { median, printReport, printTable, readOption, round } from "./support/measurements.ts";
import { requireWrk, runWrk } from "./support/wrk.ts";

const ROUNDS = readOption("rounds", 5);
const SECONDS = readOption("seconds", 4);
const CONNECTIONS = readOption("connections", 16);
const WITH_GHOST = readOption("ghost", 1) === 1;
const PORT = 3140;
const SLUG = "medium";
const PATH = `/blog/${SLUG}`;
const DATA_DIR = join(PEERS_DIR, "data");
const DATABASE_FILE = join(DATA_DIR, "lectern.db");
const CONTENT_DIR = join(PEERS_DIR, "content");

/** Starts all peers. The first is the site, whose page has the article that the others show. */
async function startPeers(articles: ReturnType<typeof writeArticles>) {
  const lectern = await startBenchSite({
    port: PORT,
    dataDir: DATA_DIR,
    contentDir: CONTENT_DIR,
    env: { TRUST_PROXY: "fly", COMPILE_WORKERS: "1" },
  });
  const article = await writeArticleModules(lectern.url + PATH, articles);
  preparePackages(DATABASE_FILE);
  const start = (index: number, name: string, entry: string) =>
    startPeer({
      cwd: join(PEERS_DIR, name),
      entry,
      port: PORT + index,
      readyPath: PATH,
      env: { DATABASE_FILE },
    });
  if (WITH_GHOST) installGhost();
  const peers: Peers = {
    Lectern: lectern,
    "React Router": await start(1, "react-router", "server.js"),
    Astro: await start(2, "astro", join("dist", "server", "entry.mjs")),
    SvelteKit: await start(3, "sveltekit", join("build", "index.js")),
    Fastify: await start(4, "fastify", "server.js"),
    ...(WITH_GHOST && { Ghost: await startGhost(PORT + 5, { slug: SLUG, html: article }) }),
  };
  return { peers, article };
}

/** Returns the median requests per second of each target. Each round measures all of them. */
async function measureRates(targets: readonly Target[]): Promise<Map<string, number>> {
  const rates = new Map(targets.map(({ name }) => [name, [] as number[]]));
  for (let i = 0; i <= ROUNDS; i++)
    for (const { name, url, headers } of targets) {
      const seconds = i === 0 ? 1 : SECONDS; // the first round warms up
      const result = await runWrk(url, { seconds, connections: CONNECTIONS, headers });
      if (result.failed > 0) throw new Error(`${name}: ${result.failed} requests failed`);
      if (i > 0) rates.get(name)!.push(result.perSecond);
    }
  return new Map([...rates].map(([name, values]) => [name, median(values)]));
}

/** Returns the medians of the mixed load by name. */
async function measureMixedLoads(targets: Readonly<Record<string, MixedTarget>>) {
  const results = Object.keys(targets).map((name) => [name, [] as MixedResult[]] as const);
  for (let i = 0; i <= ROUNDS; i++)
    for (const [name, list] of results) {
      const result = await measureMixed(PEERS_DIR, targets[name]!, i === 0 ? 1 : SECONDS);
      if (result.failed > 0) throw new Error(`${name}, mixed: ${result.failed} requests failed`);
      if (i > 0) list.push(result);
    }
  return Object.fromEntries(
    results.map(([name, list]) => {
      const medianOf = (pick: (result: MixedResult) => number) => round(median(list.map(pick)), 1);
      return [
        name,
        {
          perSecond: medianOf(({ perSecond }) => perSecond),
          p50Ms: medianOf(({ p50Ms }) => p50Ms),
          p99Ms: medianOf(({ p99Ms }) => p99Ms),
        },
      ];
    }),
  );
}

requireWrk();
mkdirSync(DATA_DIR, { recursive: true });
const articles = writeArticles(CONTENT_DIR);
const memberId = await createBenchDatabase(DATABASE_FILE, {
  reads: 500_000,
  slugs: articles.map(({ slug }) => slug),
});
overrideEnv({ SESSION_SECRET: BENCH_SESSION_SECRET });
const db = new Database(DATABASE_FILE);
const session = await insertMemberSession(db, memberId, BENCH_SESSION_SECRET);
const cookies = {
  own: `${session.name}=${session.value}`,
  peer: `session=${insertPeerSession(db, memberId)}`,
};
db.close();

const { peers, article } = await startPeers(articles);
const targets = listTargets(peers, SLUG, cookies);
for (const target of targets) await checkTarget(target, article);
const weights = new Map<string, PageWeight>();
for (const { name, url, headers } of targets)
  weights.set(name, await measurePageWeight(url, headers));
const rates = await measureRates(targets);
const mixed = await measureMixedLoads({
  Lectern: {
    origin: peers.Lectern!.url,
    strangerPath: PATH,
    memberPath: PATH,
    cookie: cookies.own,
    makeBeacon: () => ({
      slug: SLUG,
      token: issueDwellToken({ slug: SLUG, nowMs: Date.now() - 3_600_000 }),
    }),
  },
  Astro: {
    origin: peers.Astro!.url,
    strangerPath: PATH,
    memberPath: `/live/${SLUG}`,
    cookie: cookies.peer,
    makeBeacon: makePeerBeacon(SLUG),
  },
});
const memory = Object.fromEntries(
  Object.entries(peers).map(([name, { rssMb }]) => [name, rssMb()]),
);
for (const peer of Object.values(peers)) await peer.stop();

printTable(
  ["", "requests/s", "HTML kB", "HTML br kB", "scripts br kB"],
  targets.map(({ name }) => {
    const { htmlKb, htmlBrotliKb, scriptBrotliKb } = weights.get(name)!;
    return [name, Math.round(rates.get(name)!), htmlKb, htmlBrotliKb, scriptBrotliKb];
  }),
);
console.log("\nNine strangers to a member, 64 connections, 20 counted reads a second:\n");
printTable(
  ["", "requests/s", "p50 ms", "p99 ms"],
  Object.entries(mixed).map(([name, { perSecond, p50Ms, p99Ms }]) => [
    name,
    Math.round(perSecond),
    p50Ms,
    p99Ms,
  ]),
);
console.log(
  `\nMemory after the load, MB: ${Object.entries(memory)
    .map(([name, mb]) => `${name} ${mb}`)
    .join(", ")}.\n`,
);
const ratio = (own: string, peer: string) => round(rates.get(own)! / rates.get(peer)!);
printReport(
  "peers",
  {
    "anonymous ÷ Astro's prerendered page": ratio("Lectern, anonymous", "Astro, prerendered"),
    "anonymous ÷ Fastify's page from memory": ratio(
      "Lectern, anonymous",
      "Fastify, its page from memory",
    ),
    "anonymous ÷ Fastify sending the same bytes": ratio(
      "Lectern, anonymous",
      "Fastify, Lectern's page from memory",
    ),
    "member ÷ React Router 7 with Prisma": ratio(
      "Lectern, member",
      "React Router 7 with Prisma, member",
    ),
    "member ÷ Astro, server-rendered": ratio("Lectern, member", "Astro, member"),
    ...(WITH_GHOST && { "anonymous ÷ Ghost": ratio("Lectern, anonymous", "Ghost, anonymous") }),
    "mixed p99 ÷ Astro's": round(mixed.Lectern!.p99Ms / mixed.Astro!.p99Ms),
  },
  {
    requestsPerSecond: Object.fromEntries(
      [...rates].map(([name, value]) => [name, Math.round(value)]),
    ),
    weights: Object.fromEntries(weights),
    mixed,
    memoryMb: memory,
  },
);
