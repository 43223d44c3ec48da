// Tests faults of network, Consul, disk and data: reads continue, and the cluster recovers without
// an operator.

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Database from "better-sqlite3";
import { assertInvariant } from "#tests/support/invariants.ts";
import { type Cluster, startCluster } from "#cli/cluster/cluster.ts";
import { fillDisk } from "#cli/cluster/fill-disk.ts";
import { expect, imageDir, missingTools, test } from "#tests/support/cluster/fixtures.ts";
import type { ClusterNode } from "#cli/cluster/node.ts";
import { corruptBytes, readLogEvents, findNewestLtx } from "#tests/support/cluster/litefs-store.ts";
import { LoadGenerator } from "#tests/support/cluster/load-generator.ts";
import {
  type VisitorResponse,
  requestLoginEmail,
  isWriteRefused,
  sendRequest,
} from "#tests/support/cluster/browser-visitor.ts";
import { waitUntil } from "#cli/cluster/wait-until.ts";

const TTL_MS = 10_000;
const DISK_MB = 64;
/** `SOAK_DISKS=10` fills the disk more often. */
const FULL_DISKS = Number(process.env.SOAK_DISKS ?? 1);
const WHOLE_LOG = 16 * 1024 * 1024;

interface Seen {
  /** Milliseconds since the start of the fault. */
  readonly atMs: number;
  readonly answer: VisitorResponse;
}

/**
 * Observes a fault: reads each region's page every second, and writes through `region` every four.
 */
async function watch(
  cluster: Cluster,
  region: string,
  lastsMs: number,
): Promise<{ reads: Seen[]; writes: Seen[] }> {
  const fromMs = performance.now();
  const since = () => Math.round(performance.now() - fromMs);
  const reads: Seen[] = [];
  const writes: Seen[] = [];
  const under: Promise<unknown>[] = [];
  for (let second = 0; since() < lastsMs; second += 1) {
    const atMs = since();
    for (const place of cluster.edges.keys())
      under.push(
        sendRequest(`${cluster.getEdgeUrl(place)}/blog`).then((answer) =>
          reads.push({ atMs, answer }),
        ),
      );
    if (second % 4 === 0)
      under.push(
        tryToWrite(cluster, region, `fault-${second}@example.com`).then((answer) =>
          writes.push({ atMs, answer }),
        ),
      );
    await sleep(Math.max(0, 1_000 - (since() - atMs)));
  }
  await Promise.all(under);
  return { reads, writes };
}

/**
 * Sends a write. Returns the response if it succeeded or was refused with its input kept; throws
 * otherwise.
 */
async function tryToWrite(
  cluster: Cluster,
  region: string,
  email: string,
): Promise<VisitorResponse> {
  const answer = await requestLoginEmail(cluster.getEdgeUrl(region), email);
  if (answer.status !== 303 && !isWriteRefused(answer, email))
    throw new Error(`${answer.status} after ${answer.ms} ms: ${answer.text.slice(0, 300)}`);
  return answer;
}

/**
 * Both are longer than a lease's TTL, with time to observe what follows. With `SOAK_KILLS`, a
 * minute.
 */
const ISOLATION_MS = process.env.SOAK_KILLS ? 60_000 : 13_000;
const CONSUL_OUTAGE_MS = process.env.SOAK_KILLS ? 60_000 : 18_000;

const slowestMs = (seen: readonly Seen[]) =>
  Math.round(Math.max(...seen.map(({ answer }) => answer.ms)));
const isMade = ({ answer }: Seen) => answer.status === 303;

test("an isolated replica serves reads, refuses writes in bounded time, and catches up", async ({
  cluster,
}) => {
  test.setTimeout(200_000);
  const before = await cluster.waitUntilInSync();
  cluster.network.isolateNode("ams-1");
  const { reads, writes } = await watch(cluster, "ams", ISOLATION_MS);
  expect((await requestLoginEmail(cluster.getEdgeUrl("dfw"), "elsewhere@example.com")).status).toBe(
    303,
  );
  const there = await cluster.waitUntilInSync(20_000, ["dfw-1", "dfw-2"]);
  const cut = await cluster.getNode("ams-1").readPosition();
  expect(there.txid).toBeGreaterThan(before.txid);
  expect(cut?.txid).toBe(before.txid);
  cluster.network.healLinks();
  const healedMs = performance.now();
  await cluster.waitUntilInSync(TTL_MS + 3_000);
  console.log(
    `partition: ${reads.length} reads, slowest ${slowestMs(reads)} ms; ${writes.length} writes through the cut region, ${writes.filter(isMade).length} made by replay, slowest ${slowestMs(writes)} ms; ${there.txid - before.txid} transactions caught up ${Math.round(performance.now() - healedMs)} ms after healing`,
  );
  expect(reads.filter(({ answer }) => answer.status !== 200)).toEqual([]);
  expect(writes.filter(({ answer }) => answer.ms > 20_000)).toEqual([]);
});

test("without Consul reads go on, writes are refused, and resume by themselves", async ({
  cluster,
}) => {
  test.setTimeout(240_000);
  await cluster.waitUntilInSync();
  const primary = await cluster.findPrimary();
  await cluster.consul.stop();
  const [{ reads, writes }] = await Promise.all([
    watch(cluster, "dfw", CONSUL_OUTAGE_MS),
    restartAndStop(cluster.getNode("ams-1")),
  ]);
  const made = writes.filter(isMade);
  const refused = writes.filter((seen) => !isMade(seen));
  expect(await cluster.findPrimary()).toBeNull();
  const startMs = performance.now();
  await cluster.consul.start();
  const backMs = performance.now();
  // Uses a new address each time, because the limit is five emails an hour.
  let tries = 0;
  await waitUntil(
    "a write is made",
    60_000,
    async () => (await tryToWrite(cluster, "ams", `back-${(tries += 1)}@example.com`)).status,
    (status) => status === 303,
  );
  const writesBackMs = Math.round(performance.now() - backMs);
  const after = await cluster.waitUntilInSync();
  console.log(
    `Consul: ${reads.length} reads, slowest ${slowestMs(reads)} ms; writes made until ${made.at(-1)?.atMs} ms after it stopped, refused from ${refused[0]?.atMs} ms on, slowest ${slowestMs(writes)} ms; ` +
      `writes back ${writesBackMs} ms after Consul (which took ${Math.round(backMs - startMs)} ms), primary ${primary?.name} → ${(await cluster.findPrimary())?.name}, transaction ${after.txid}`,
  );
  expect(reads.filter(({ answer }) => answer.status !== 200)).toEqual([]);
  expect(refused).not.toEqual([]);
  // Once refused, writes stay refused until Consul is back, because no node can get the lease
  // without it.
  assertInvariant(
    "no node is primary without a lease",
    writes.slice(writes.indexOf(refused[0]!)).filter(isMade),
  );
  expect(writesBackMs).toBeLessThan(TTL_MS + 3_000);
});

/** Expects that a node that finds no primary when it starts serves reads, and stops on SIGTERM. */
async function restartAndStop(node: ClusterNode): Promise<void> {
  await node.stop();
  node.start();
  await node.waitUntilReady();
  expect((await sendRequest(`${node.url}/blog`)).status).toBe(200);
  const startMs = performance.now();
  expect(await node.stop()).toBe(0);
  // Less than the kill timeout of 30 s, which a hanging LiteFS would use up.
  expect(performance.now() - startMs).toBeLessThan(20_000);
}

test("a replica with a corrupt transaction on disk quarantines its store, logs one line, and recovers", async ({
  cluster,
}) => {
  const node = cluster.getNode("ams-1");
  await node.stop();
  expect((await requestLoginEmail(cluster.getEdgeUrl("dfw"), "meanwhile@example.com")).status).toBe(
    303,
  );
  corruptBytes(findNewestLtx(node), { at: 150 });
  const startMs = performance.now();
  const before = readLogEvents(node, "supervisor.store_quarantined").length;
  node.start();
  await node.waitUntilReady();
  await cluster.waitUntilInSync();
  console.log(
    `corrupt transaction: back with equal checksums after ${Math.round(performance.now() - startMs)} ms`,
  );
  const said = readLogEvents(node, "supervisor.store_quarantined").slice(before);
  expect(said).toEqual([
    expect.objectContaining({
      level: "error",
      instance: "ams-1",
      line: expect.stringContaining("ltx"),
      quarantined: expect.stringContaining(".quarantine-"),
    }),
  ]);
});

test.describe("two machines with small disks", () => {
  test.describe.configure({ mode: "serial" });
  // Here, since the hook below would start a cluster before a test is skipped.
  test.skip(missingTools.length > 0, missingTools.join(" "));
  let small: Cluster;

  test.beforeAll(async ({ smtp }) => {
    test.setTimeout(180_000);
    small = await startCluster({
      imageDir,
      regions: ["dfw"],
      diskSizesMb: { "dfw-1": DISK_MB, "dfw-2": DISK_MB },
      env: { SMTP_URL: smtp.url, LOG_LEVEL: process.env.LOG_LEVEL },
    });
  });
  test.afterAll(async () => small?.stop());
  // Like the shared cluster: keeps the logs after a failure.
  // oxlint-disable-next-line no-empty-pattern -- Playwright reads a hook's dependencies from the pattern.
  test.afterEach(async ({}, testInfo) => {
    if (testInfo.status === testInfo.expectedStatus) return;
    for (const node of small?.nodes.values() ?? [])
      await testInfo.attach(`small ${node.name}.log`, {
        body: node.log(),
        contentType: "text/plain",
      });
    if (small)
      await testInfo.attach("small consul.log", {
        body: small.consul.readLog(),
        contentType: "text/plain",
      });
  });

  test("of two candidates that start together, exactly one creates the database", () => {
    const nodes = [...small.nodes.values()];
    expect(
      nodes.map((node) => readLogEvents(node, "launcher.database_made").length).sort(),
    ).toEqual([0, 1]);
    for (const node of nodes) {
      expect(readLogEvents(node, "launcher.migrations_failed")).toEqual([]);
      expect(node.log(WHOLE_LOG)).not.toContain("read only replica");
    }
  });

  test("a replica with a full disk serves reads, and catches up when there is space", async () => {
    const [primary, standby] = [await small.waitForPrimary(), await small.waitForStandby()];
    const before = await small.waitUntilInSync();
    // The first connection needs space for the -shm file, so the launcher opens the database
    // immediately.
    await waitUntil("the standby's site has opened its database", 30_000, () => hasOpened(standby));
    const room = fillDisk(standby.dataDir);
    const reads: number[] = [];
    const writes: VisitorResponse[] = [];
    for (let i = 0; i < 8; i += 1) {
      // The edge alternates between nodes, so that each gets half of the forms.
      if (i % 2 === 1) await sendRequest(`${small.getEdgeUrl("dfw")}/blog`);
      writes.push(await requestLoginEmail(small.getEdgeUrl("dfw"), `full-${i}@example.com`));
      reads.push((await sendRequest(`${standby.url}/blog`)).status);
    }
    const [there, behind] = [await primary.readPosition(), await standby.readPosition()];
    room();
    const startMs = performance.now();
    const after = await small.waitUntilInSync(60_000);
    console.log(
      `full disk on the standby: ${writes.length} writes, statuses ${[...new Set(writes.map(({ status }) => status))].join()}, slowest ${Math.round(Math.max(...writes.map(({ ms }) => ms)))} ms; it was ${(there?.txid ?? 0) - (behind?.txid ?? 0)} transactions behind and caught up ${Math.round(performance.now() - startMs)} ms after there was room`,
    );
    expect(new Set(reads)).toEqual(new Set([200]));
    expect(new Set(writes.map(({ status }) => status))).toEqual(new Set([303]));
    expect(after.txid).toBeGreaterThan(before.txid);
    await standby.waitUntilReady();
    await small.waitForStandby();
  });

  test("a primary with a full disk refuses writes with a reason, leaves no partial write, and serves reads", async () => {
    const [primary, standby] = [await small.waitForPrimary(), await small.waitForStandby()];
    const before = await small.waitUntilInSync();
    const room = fillDisk(primary.dataDir);
    // The site reads the free space once a second. A write before that would stop LiteFS.
    await waitUntil(
      "the primary's site knows",
      20_000,
      async () =>
        ((await (await fetch(`${primary.url}/readyz`)).json()) as { degraded: unknown[] }).degraded,
      (degraded) => degraded.length > 0,
    );
    const refused: VisitorResponse[] = [];
    for (let i = 0; i < 8; i += 1) {
      refused.push(await requestLoginEmail(small.getEdgeUrl("dfw"), `none-${i}@example.com`));
      expect((await sendRequest(`${primary.url}/blog`)).status).toBe(200);
      expect((await sendRequest(`${standby.url}/blog`)).status).toBe(200);
    }
    console.log(
      `full disk on the primary: statuses ${refused.map(({ status }) => status).join()}, slowest ${Math.round(Math.max(...refused.map(({ ms }) => ms)))} ms; primary then: ${(await small.findPrimary())?.name}`,
    );
    expect(refused.filter((answer, i) => !isWriteRefused(answer, `none-${i}@example.com`))).toEqual(
      [],
    );
    expect(refused.at(-1)?.text).toContain("the disk is full");
    expect(readLogEvents(primary, "disk.full").length).toBeGreaterThan(0);
    expect(await small.waitUntilInSync()).toEqual(before);
    room();
    // Uses a new address each time, because the limit is five emails an hour.
    let tries = 0;
    await waitUntil(
      "a write is made",
      30_000,
      async () =>
        (await requestLoginEmail(small.getEdgeUrl("dfw"), `room-${(tries += 1)}@example.com`))
          .status,
      (status) => status === 303,
    );
    expect((await small.waitUntilInSync()).txid).toBeGreaterThan(before.txid);
  });

  test("a primary whose disk fills up during writes loses no login", async ({ smtp }) => {
    test.setTimeout(120_000 + FULL_DISKS * 60_000);
    const load = await LoadGenerator.start(small, smtp, { writers: 1, logins: 8 });
    for (let i = 0; i < FULL_DISKS; i += 1) {
      const { dataDir } = await small.waitForPrimary();
      await small.waitForStandby(90_000);
      await load.waitForWrites(20);
      const free = fillDisk(dataDir);
      await sleep(4_000);
      free();
      await load.waitForWrites(1, 60_000);
    }
    await load.stop();
    await small.waitUntilInSync(60_000);
    const lost = load.findLostWrites(await small.waitForPrimary());
    const exits = [...small.nodes.values()].flatMap(
      (node) => node.log(WHOLE_LOG).match(/fatal error occurred while committing/g) ?? [],
    );
    console.log(
      `disk filled up during writes: ${FULL_DISKS} times, LiteFS exited ${exits.length} times; ${load.logins.length} logins, ${lost.logins.length} lost; ${load.writes.length} counted reads, ${lost.writes.length} lost`,
    );
    assertInvariant("no login is lost", lost.logins);
  });

  test("a running replica with a differing checksum quarantines its store, and recovers", async () => {
    const [primary, standby] = [await small.waitForPrimary(), await small.waitForStandby()];
    const before = readLogEvents(standby, "supervisor.store_quarantined").length;
    // Outside WAL mode, LiteFS's copies diverge, so this uses a second database.
    const beside = join(primary.mount, "beside.db");
    const db = new Database(beside);
    db.pragma("journal_mode = WAL");
    db.exec("CREATE TABLE t (x); INSERT INTO t VALUES (1), (2), (3)");
    db.pragma("journal_mode = DELETE");
    db.exec("INSERT INTO t VALUES (4)");
    db.close();
    const startMs = performance.now();
    await waitUntil(
      "the replica quarantines its store",
      30_000,
      () => readLogEvents(standby, "supervisor.store_quarantined").length > before,
    );
    await standby.waitUntilReady();
    await small.waitForStandby();
    await small.waitUntilInSync();
    console.log(
      `checksum mismatch while running: back with equal checksums after ${Math.round(performance.now() - startMs)} ms`,
    );
    expect(readLogEvents(standby, "supervisor.store_quarantined").at(-1)).toMatchObject({
      level: "error",
      line: expect.stringContaining("does not match LTX post-apply checksum"),
    });
  });
});

/**
 * Returns whether the site has opened its database, from the launcher's log, because a request to
 * the site would open it.
 */
function hasOpened(node: ClusterNode): boolean {
  const lastOf = (event: string) => String(readLogEvents(node, event).at(-1)?.time ?? "");
  return lastOf("launcher.database_open") > lastOf("supervisor.start");
}
