// npm run bench -- cluster: what LiteFS costs beside a plain file, what it carries, how far behind replicas are, and what it
// spares a reader who is far away. Nodes, mounts, Consul and PostgreSQL are real, distances simulated.

import { roundTripMs } from "#cli/cluster/region-round-trip.ts";
import { type ReplicationLag, measureLag } from "./cluster/replication-lag.ts";
import { measureRemotePostgres } from "./cluster/remote-postgres.ts";
import { measurePages } from "./cluster/page-rates.ts";
import { requirePostgres, startRemotePostgres } from "./cluster/remote-postgres-server.ts";
import {
  ARTICLE_SLUG,
  createBenchWorkspace,
  createBenchData,
  startBenchCluster,
  startPlainBench,
} from "./cluster/bench-cluster.ts";
import { measureBeacons, measureCommits, countReads } from "./cluster/write-rates.ts";
import { requireWrk } from "./support/wrk.ts";
import { readOption, printReport, round, printTable } from "./support/measurements.ts";

const ROUNDS = readOption("rounds", 5);
const SECONDS = readOption("seconds", 3);
const CONNECTIONS = readOption("connections", 64);
/** Pages asked for one after the other in the far region; each of them takes most of a second. */
const PAGES = readOption("pages", 25);
const LAG_SECONDS = readOption("lag", SECONDS * 4);

requireWrk();
requirePostgres();
// What was started is ended by the exit itself.
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
// wrk counts answers; what it still waited for at the end of a round was stored too.
if (stored < acknowledged * 0.99)
  throw new Error(`${stored} reads are on ${syd.name} of ${acknowledged} acknowledged`);

step("write → visible");
const near = { primary, replicas: [ams, syd], cookie: data.cookie };
const some = await measureLag({ ...near, seconds: LAG_SECONDS, readers: "some" });
const many = await measureLag({ ...near, seconds: LAG_SECONDS, readers: "many" });
const HELD_MS = 3_000;
const held = await measureLag({
  ...near,
  seconds: HELD_MS / 1_000 + 2,
  readers: "none",
  longRead: { on: syd, forMs: HELD_MS },
});
await cluster.stop();

step("PostgreSQL, and a cluster with distances");
const distanceMs = roundTripMs("ams", "dfw");
const far = await startRemotePostgres({ file: data.file, roundTripMs: distanceMs, workspace });
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
  "the same without HTTP": round(commits.queue / commits.single, 1),
  "far page, own copy ÷ Postgres": round(farPage.localMs / farPage.sequentialMs, 3),
  "far page, own copy ÷ Postgres in one round trip": round(farPage.localMs / farPage.batchedMs, 3),
};

console.log(
  `\nThe page of a post (${ARTICLE_SLUG}, about 1,100 words), ${ROUNDS} rounds of ${SECONDS} s, 16 connections:`,
);
printTable(
  ["requests/s", "replica's mount", "plain file", "÷", "goal"],
  [
    [
      "anonymous",
      round(pages.anonymous.mount, 0),
      round(pages.anonymous.plain, 0),
      ratios["anonymous, mount ÷ plain file"],
      0.9,
    ],
    [
      "member",
      round(pages.member.mount, 0),
      round(pages.member.plain, 0),
      ratios["member, mount ÷ plain file"],
      0.75,
    ],
  ],
);

console.log(
  `\nCounted reads on the primary, ${CONNECTIONS} at a time. Those acknowledged (${acknowledged}) were all on ${syd.name} afterwards (${stored} rows).`,
);
printTable(
  ["a second", "shared commits", "one transaction each", "÷", "goal"],
  [
    [
      "beacons over HTTP",
      round(beacons.shared, 0),
      round(beacons.single, 0),
      ratios["beacons, shared commits ÷ one transaction each"],
      20,
    ],
    [
      "the same without HTTP",
      round(commits.queue, 0),
      round(commits.single, 0),
      ratios["the same without HTTP"],
      "",
    ],
    ["one row of two numbers", "", round(commits.row, 0), "", ""],
  ],
);

const lagRows = (what: string, { beaconsPerSecond, replicas }: ReplicationLag) =>
  Object.entries(replicas).map(([name, { pagesPerSecond, p50, p99, max, eventP50, eventP99 }]) => [
    `${what}: ${name}`,
    beaconsPerSecond,
    pagesPerSecond,
    p50,
    p99,
    max,
    eventP50,
    eventP99,
  ]);
console.log(
  `\nFrom the commit on the primary until a replica has it, in ms; about forty rows a second are timed, beside the beacons. Goal: p99 < 50, promise 200.`,
);
printTable(
  ["", "beacons/s", "pages/s", "row p50", "row p99", "row max", "event p50", "event p99"],
  [
    ...lagRows("some readers", some),
    ...lagRows("as many readers as it answers", many),
    ...lagRows(`no reader; syd-1 is ${HELD_MS / 1_000} s never without one`, held),
    ...lagRows(`${distanceMs} ms between regions, some readers`, farLag),
  ],
);

console.log(
  `\nA member's page in ams, ${distanceMs} ms from dfw, one at a time, ${PAGES} of each, medians. PostgreSQL ${far.version}, one kept connection.`,
);
printTable(
  ["", "ms", "own copy ÷"],
  [
    ["from its own copy", farPage.localMs, ""],
    [
      `asking a Postgres in dfw, ${farPage.statements} statements one after the other`,
      farPage.sequentialMs,
      ratios["far page, own copy ÷ Postgres"],
    ],
    [
      "the same, all in one round trip",
      farPage.batchedMs,
      ratios["far page, own copy ÷ Postgres in one round trip"],
    ],
  ],
);
console.log("");
printReport("cluster", ratios, {
  pages,
  beacons,
  commits,
  lag: { some, many, held, far: farLag },
  farPage,
});
process.exit();
