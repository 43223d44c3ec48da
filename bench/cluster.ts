// npm run bench -- cluster: what LiteFS costs beside a plain file, what it carries, how far behind replicas are, and what it
// spares a reader who is far away. Nodes, mounts, Consul and PostgreSQL are real, distances simulated.

import { roundTripMs } from "../e2e/cluster/distance.ts";
import { type Lag, measureLag } from "./cluster/lag.ts";
import { measureFar } from "./cluster/far.ts";
import { measurePages } from "./cluster/pages.ts";
import { findPostgres, startFarPostgres } from "./cluster/postgres.ts";
import {
  SLUG,
  makeBenchWorkspace,
  makeData,
  startBenchCluster,
  startPlain,
} from "./cluster/set-up.ts";
import { measureBeacons, measureCommits, readsOn } from "./cluster/writes.ts";
import { requireWrk } from "./support/load.ts";
import { option, report, round, table } from "./support/machine.ts";

const ROUNDS = option("rounds", 5);
const SECONDS = option("seconds", 3);
const CONNECTIONS = option("connections", 64);
/** Pages asked for one after the other in the far region; each of them takes most of a second. */
const PAGES = option("pages", 25);
const LAG_SECONDS = option("lag", SECONDS * 4);

requireWrk();
findPostgres();
// What was started is ended by the exit itself.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));
const startedMs = performance.now();
const step = (text: string) =>
  console.log(`\x1b[2m· ${round((performance.now() - startedMs) / 1000, 0)} s: ${text}\x1b[0m`);

step("database");
const data = await makeData();
const workspace = makeBenchWorkspace();

step("cluster: two in dfw, ams, syd");
const cluster = await startBenchCluster(data, { regions: ["dfw", "ams", "syd"] });
const primary = await cluster.waitForPrimary();
const [ams, syd] = [cluster.node("ams-1"), cluster.node("syd-1")];
const plain = await startPlain(data, workspace);

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
const before = readsOn(primary);
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
await cluster.waitUntilEqual();
const stored = readsOn(syd) - before;
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
  held: { on: syd, forMs: HELD_MS },
});
await cluster.stop();

step("PostgreSQL, and a cluster with distances");
const distanceMs = roundTripMs("ams", "dfw");
const far = await startFarPostgres({ file: data.file, roundTripMs: distanceMs, workspace });
const farCluster = await startBenchCluster(data, {
  regions: ["dfw", "ams"],
  latency: true,
  env: { BENCH_POSTGRES_URL: far.url },
});
const farAms = farCluster.node("ams-1");
const farPage = await measureFar({ url: farAms.url, cookie: data.cookie, count: PAGES });
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
  "far page, own copy ÷ Postgres": round(farPage.own / farPage.each, 3),
  "far page, own copy ÷ Postgres in one round trip": round(farPage.own / farPage.together, 3),
};

console.log(
  `\nThe page of a post (${SLUG}, about 1,100 words), ${ROUNDS} rounds of ${SECONDS} s, 16 connections:`,
);
table(
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
table(
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

const lagRows = (what: string, { beaconsPerSecond, replicas }: Lag) =>
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
table(
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
table(
  ["", "ms", "own copy ÷"],
  [
    ["from its own copy", farPage.own, ""],
    [
      `asking a Postgres in dfw, ${farPage.statements} statements one after the other`,
      farPage.each,
      ratios["far page, own copy ÷ Postgres"],
    ],
    [
      "the same, all in one round trip",
      farPage.together,
      ratios["far page, own copy ÷ Postgres in one round trip"],
    ],
  ],
);
console.log("");
report("cluster", ratios, {
  pages,
  beacons,
  commits,
  lag: { some, many, held, far: farLag },
  farPage,
});
process.exit();
