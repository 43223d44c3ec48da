// Measures the cost of LiteFS compared with a plain file, its write throughput and replication lag,
// and the time it saves a distant reader:
// npm run bench -- cluster
// Nodes, mounts, Consul and PostgreSQL are real. Only latency is simulated.

import { roundTripMs } from "#cli/cluster/region-round-trip.ts";
import { type ReplicationLag, measureLag } from "./cluster/replication-lag.ts";
import { measureRemotePostgres } from "./cluster/remote-postgres.ts";
import { measurePages } from "./cluster/page-rates.ts";
import { requirePostgres } from "#tests/support/postgres.ts";
import { startRemotePostgres } from "./cluster/remote-postgres-server.ts";
import {
  ARTICLE_SLUG,
  createBenchWorkspace,
  createBenchData,
  startBenchCluster,
  runOnCore,
  startPlainBench,
} from "./cluster/bench-cluster.ts";
import { measureBeacons, measureCommits, countReads } from "./cluster/write-rates.ts";
import { requireWrk } from "./support/wrk.ts";
import { readOption, printReport, round, printTable } from "./support/measurements.ts";

const ROUNDS = readOption("rounds", 5);
const SECONDS = readOption("seconds", 3);
const CONNECTIONS = readOption("connections", 64);
/** Sequential page requests in the distant region; each takes most of a second. */
const PAGES = readOption("pages", 25);
const LAG_SECONDS = readOption("lag", SECONDS * 4);

requireWrk();
requirePostgres();
// The exit handlers stop everything that was started.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));
const startedMs = performance.now();
const step = (text: string) =>
  console.log(`\x1b[2m· ${round((performance.now() - startedMs) / 1000, 0)} s: ${text}\x1b[0m`);

step("database");
const data = await createBenchData();
const workspace = createBenchWorkspace();

step("cluster: two in dfw, ams, syd");
const cluster = await startBenchCluster(data, { regions: ["dfw", "ams", "syd"] });
const primary = await cluster.waitForPrimary();
const [ams, syd] = [cluster.getNode("ams-1"), cluster.getNode("syd-1")];
const plain = await startPlainBench(data, workspace);

step("pages");
const pages = await measurePages({
  mount: ams.url,
  plain: plain.url,
  cookie: data.cookie,
  rounds: ROUNDS,
  seconds: SECONDS,
});
await plain.stop();

step("writes");
const before = countReads(primary);
const beacons = await measureBeacons({
  primary,
  rounds: ROUNDS,
  seconds: SECONDS,
  connections: CONNECTIONS,
});
const commits = await measureCommits({
  primary,
  rounds: 3,
  seconds: Math.min(SECONDS, 2),
  writers: CONNECTIONS,
});
await cluster.waitUntilInSync();
const stored = countReads(syd) - before;
const acknowledged = Math.round(beacons.acknowledged + commits.stored);
// wrk counts responses. Requests that are in flight at the end of a round are also stored.
if (stored < acknowledged * 0.99)
  throw new Error(`${stored} of ${acknowledged} acknowledged reads are on ${syd.name}`);

step("replication lag");
const near = { primary, replicas: [ams, syd], cookie: data.cookie };
const some = await measureLag({ ...near, seconds: LAG_SECONDS, readers: "some" });
const many = await measureLag({ ...near, seconds: LAG_SECONDS, readers: "many" });
const LONG_READ_MS = 3_000;
const longRead = await measureLag({
  ...near,
  seconds: LONG_READ_MS / 1_000 + 2,
  readers: "none",
  longRead: { on: syd, forMs: LONG_READ_MS },
});
await cluster.stop();

step("two nodes, a core for each");
const two = await startBenchCluster(data, { regions: ["dfw"] });
const [twoPrimary, twoStandby] = [await two.waitForPrimary(), await two.waitForStandby()];
runOnCore(twoPrimary, 0);
runOnCore(twoStandby, 1);
const ownCoreLag = await measureLag({
  primary: twoPrimary,
  replicas: [twoStandby],
  cookie: data.cookie,
  seconds: LAG_SECONDS,
  readers: "few",
  writers: "few",
});
// Either node may have become the primary.
const ownCore = { ...ownCoreLag, replicas: { dfw: ownCoreLag.replicas[twoStandby.name]! } };
await two.stop();

step("PostgreSQL, and a cluster with latency");
const distanceMs = roundTripMs("ams", "dfw");
const far = await startRemotePostgres({ file: data.file, roundTripMs: distanceMs });
const farCluster = await startBenchCluster(data, {
  regions: ["dfw", "ams"],
  latency: true,
  env: { BENCH_POSTGRES_URL: far.url },
});
const farAms = farCluster.getNode("ams-1");
const farPage = await measureRemotePostgres({ url: farAms.url, cookie: data.cookie, count: PAGES });
const farLag = await measureLag({
  primary: await farCluster.waitForPrimary(),
  replicas: [farAms],
  cookie: data.cookie,
  seconds: LAG_SECONDS,
  readers: "some",
});
await farCluster.stop();
await far.stop();
await workspace.remove();
step("done");

const ratios = {
  "anonymous, mount ÷ plain file": round(pages.anonymous.mount / pages.anonymous.plain),
  "member, mount ÷ plain file": round(pages.member.mount / pages.member.plain),
  "beacons, shared commits ÷ one transaction each": round(beacons.shared / beacons.single, 1),
  "without HTTP": round(commits.queue / commits.single, 1),
  "far page, local copy ÷ Postgres": round(farPage.localMs / farPage.sequentialMs, 3),
  "far page, local copy ÷ Postgres in one round trip": round(
    farPage.localMs / farPage.batchedMs,
    3,
  ),
};

console.log(
  `\nPost page (${ARTICLE_SLUG}, about 1,100 words), ${ROUNDS} rounds of ${SECONDS} s, 16 connections:`,
);
printTable(
  ["requests/s", "replica's mount", "plain file", "÷"],
  [
    [
      "anonymous",
      round(pages.anonymous.mount, 0),
      round(pages.anonymous.plain, 0),
      ratios["anonymous, mount ÷ plain file"],
    ],
    [
      "member",
      round(pages.member.mount, 0),
      round(pages.member.plain, 0),
      ratios["member, mount ÷ plain file"],
    ],
  ],
);

console.log(
  `\nCounted reads on the primary, ${CONNECTIONS} concurrently. All acknowledged reads (${acknowledged}) were on ${syd.name} afterwards (${stored} rows).`,
);
printTable(
  ["per second", "shared commits", "one transaction each", "÷"],
  [
    [
      "beacons over HTTP",
      round(beacons.shared, 0),
      round(beacons.single, 0),
      ratios["beacons, shared commits ÷ one transaction each"],
    ],
    ["without HTTP", round(commits.queue, 0), round(commits.single, 0), ratios["without HTTP"]],
    ["one row of two numbers", "", round(commits.row, 0), ""],
  ],
);

const lagRows = (label: string, { beaconsPerSecond, replicas }: ReplicationLag) =>
  Object.entries(replicas).map(([name, { pagesPerSecond, p50, p99, max, eventP50, eventP99 }]) => [
    `${label}: ${name}`,
    beaconsPerSecond,
    pagesPerSecond,
    p50,
    p99,
    max,
    eventP50,
    eventP99,
  ]);
console.log(
  `\nReplication lag in ms, from the commit on the primary until the replica has it. About forty rows per second are timed, alongside the beacons.`,
);
printTable(
  ["", "beacons/s", "pages/s", "row p50", "row p99", "row max", "event p50", "event p99"],
  [
    ...lagRows("some readers", some),
    ...lagRows("as many readers as possible", many),
    ...lagRows(`no readers; a read transaction of ${LONG_READ_MS / 1_000} s on syd-1`, longRead),
    ...lagRows("two nodes, a core for each, few readers", ownCore),
    ...lagRows(`${distanceMs} ms between regions, some readers`, farLag),
  ],
);

console.log(
  `\nA member's page in ams, ${distanceMs} ms from dfw, sequential, ${PAGES} of each, medians. PostgreSQL ${far.version}, one persistent connection.`,
);
printTable(
  ["", "ms", "local copy ÷"],
  [
    ["from the local copy", farPage.localMs, ""],
    [
      `from PostgreSQL in dfw, ${farPage.statements} sequential statements`,
      farPage.sequentialMs,
      ratios["far page, local copy ÷ Postgres"],
    ],
    [
      "from PostgreSQL in dfw, all in one round trip",
      farPage.batchedMs,
      ratios["far page, local copy ÷ Postgres in one round trip"],
    ],
  ],
);
console.log("");
printReport("cluster", ratios, {
  pages,
  beacons,
  commits,
  lag: { some, many, longRead, ownCore, far: farLag },
  farPage,
});
process.exit();
