// Tests the lease service: failures of Consul servers under load, and the commands of
// docs/runbooks/lease-service.md.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assertInvariant } from "#tests/support/invariants.ts";
import { readRunbook } from "#tests/support/runbook.ts";
import { FlyCommand } from "#tests/support/cluster/fly-command.ts";
import { expect, test } from "#tests/support/cluster/fixtures.ts";
import { LoadGenerator } from "#tests/support/cluster/load-generator.ts";
import { type Cluster, LEASE_KEY } from "#cli/cluster/cluster.ts";
import { createConsul } from "#cli/cluster/consul.ts";
import { CONSUL_PATH, CONSUL_PORT } from "#cli/cluster/network.ts";
import type { Environment } from "#cli/cluster/program.ts";
import { findTools } from "#cli/cluster/tools/find-tools.ts";
import { waitUntil } from "#cli/cluster/wait-until.ts";
import { createWorkspace } from "#cli/cluster/workspace.ts";

test.skip(!process.env.SOAK_RUNBOOKS, "SOAK_RUNBOOKS=1 runs these long tests.");
test.use({ consulServers: 3 });

const PAGE = "lease-service.md";
const TTL_MS = 10_000;
/** LiteFS steps down a tenth of a second after the TTL; the rest is for a busy machine. */
const STEP_DOWN_MS = TTL_MS + 3_000;

/** A write is refused with 503, and a login may miss its email; nothing hangs or resets. */
const REFUSED = /^503|^login: /;

const findSession = (cluster: Cluster) => cluster.consul.findLeaseSession(LEASE_KEY);

/** Runs the commands of the page below `heading`, and returns their output. */
async function runPage(cluster: Cluster, heading: string, env?: Environment): Promise<string> {
  const fly = new FlyCommand(cluster, (_, node) => cluster.consulUrlFor(node.name));
  try {
    return await fly.run(readRunbook(PAGE, heading), env);
  } finally {
    fly.close();
  }
}

/** Waits until three servers vote, `newServer` among them, and two of them follow the leader. */
const waitForVoters = (cluster: Cluster, newServer = "") =>
  waitUntil(
    "there are three voters",
    120_000,
    () => runPage(cluster, "Check"),
    (output) =>
      output.match(/\btrue\b/g)?.length === 3 &&
      output.match(/\bfollower\b/g)?.length === 2 &&
      output.includes(newServer),
  );

/** Waits longer than a lease is valid without being renewed. */
const passTtl = (fromMs: number) =>
  waitUntil("a TTL passes", 2 * TTL_MS, () => performance.now() - fromMs > TTL_MS + 1_000);

/**
 * Expects that every login is stored, and every counted read except those that were acknowledged
 * within a second of `steppedDownMs`.
 */
async function expectNoLoss(
  cluster: Cluster,
  load: LoadGenerator,
  steppedDownMs = Infinity,
): Promise<void> {
  await load.stop();
  await cluster.waitUntilInSync();
  const { writes, logins } = load.findLostWrites(await cluster.waitForPrimary());
  const isExpected = ({ answeredMs }: { answeredMs: number }) =>
    Math.abs(answeredMs - steppedDownMs) < 1_000;
  assertInvariant("no acknowledged write is lost", [
    ...writes.filter((write) => !isExpected(write)),
    ...logins,
  ]);
}

test("a Consul server dies, then the leader, under load: no write fails, and the lease stays", async ({
  cluster,
  smtp,
}) => {
  test.setTimeout(120_000);
  const load = await LoadGenerator.start(cluster, smtp);
  const session = await findSession(cluster);
  expect(session).not.toBeNull();
  let hasQuickElections = true;
  for (const role of ["follower", "leader"]) {
    const leader = await cluster.consul.findLeader();
    const victim = cluster.consul.servers.find(
      (server) => (server === leader) === (role === "leader"),
    )!;
    const killedMs = performance.now();
    await victim.kill();
    await waitUntil("there is a leader", 20_000, () => cluster.consul.findLeader());
    const electedMs = performance.now();
    await load.waitForWrites(20);
    if (role === "leader") await passTtl(killedMs);
    console.log(
      `Consul's ${role} killed: leader known after ${Math.round(electedMs - killedMs)} ms, longest gap between writes ${Math.round(load.longestGapMs(killedMs, performance.now()))} ms`,
    );
    // LiteFS renews the lease after half a TTL. If votes are split, an election on a busy machine can
    // take longer. LiteFS then acquires the lease again, and may refuse a write in the meantime.
    hasQuickElections &&= electedMs - killedMs < TTL_MS / 2 - 1_000;
    if (hasQuickElections) expect(await findSession(cluster)).toBe(session);
    await cluster.consul.start();
  }
  await expectNoLoss(cluster, load);
  expect(load.failedReads).toEqual([]);
  const failedWrites = load.refusedWrites.filter(
    ({ reason }) => hasQuickElections || !REFUSED.test(reason),
  );
  expect(failedWrites).toEqual([]);
});

test("all Consul servers hang under load: reads go on, writes end with the lease, and both recover without loss", async ({
  cluster,
  smtp,
}) => {
  test.setTimeout(120_000);
  const primary = await cluster.waitForPrimary();
  const load = await LoadGenerator.start(cluster, smtp);
  const frozenMs = performance.now();
  cluster.consul.pause();
  await waitUntil("the primary steps down", STEP_DOWN_MS, async () => !(await primary.isPrimary()));
  const downMs = performance.now();
  await waitUntil("a write in each region is refused", 20_000, () =>
    [...cluster.edges.keys()].every((region) =>
      load.refusedWrites.some((refused) => refused.region === region),
    ),
  );
  const backMs = performance.now();
  cluster.consul.resume();
  await load.waitForWrites(20);
  const lastMs = Math.max(
    ...load.writes.map(({ answeredMs }) => answeredMs).filter((atMs) => atMs < backMs),
  );
  const first = load.writes.find(({ sentMs }) => sentMs > backMs)!;
  console.log(
    `all Consul servers frozen: the primary stepped down after ${Math.round(downMs - frozenMs)} ms, last write after ${Math.round(lastMs - frozenMs)} ms; ` +
      `writes back ${Math.round(first.answeredMs - backMs)} ms after the servers`,
  );
  await expectNoLoss(cluster, load, downMs);
  expect(load.failedReads).toEqual([]);
  expect(load.refusedWrites.filter(({ reason }) => !REFUSED.test(reason))).toEqual([]);
});

test("the runbook's checks show three servers and their leader", async ({ cluster }) => {
  const output = await runPage(cluster, "Check");
  expect(output.match(/\bleader\b/g)).toHaveLength(1);
  expect(output.match(/\bfollower\b/g)).toHaveLength(2);
  expect(output.match(/\balive\b/g)).toHaveLength(3);
});

test("the runbook replaces a server, and the lease stays", async ({ cluster }) => {
  test.setTimeout(180_000);
  // A server that an earlier test restarted has a vote again after ten seconds.
  await waitForVoters(cluster);
  const session = await findSession(cluster);
  const leader = await cluster.consul.findLeader();
  // New servers join the first one, where Fly's DNS would name all.
  const server = cluster.consul.servers.slice(1).find((each) => each !== leader)!;
  await runPage(cluster, "Replace a server", { SERVER: server.name });
  // Its new disk has a new name.
  await waitForVoters(cluster, `${server.name}-2`);
  await cluster.consul.start();
  expect(await findSession(cluster)).toBe(session);
});

test("the runbook restarts one server at a time for an upgrade, and the lease stays", async ({
  cluster,
}) => {
  test.setTimeout(120_000);
  const session = await findSession(cluster);
  await runPage(cluster, "Upgrade");
  expect(await findSession(cluster)).toBe(session);
});

test("after the loss of all servers with their data, the runbook's servers get the lease back, with all writes", async ({
  cluster,
  smtp,
}) => {
  test.setTimeout(180_000);
  const load = await LoadGenerator.start(cluster, smtp);
  const info = await (await cluster.waitForPrimary()).readLitefsInfo();
  await runPage(cluster, "After the loss of all servers");
  await cluster.consul.start();
  await load.waitForWrites(20, 60_000);
  await expectNoLoss(cluster, load);
  expect((await (await cluster.waitForPrimary()).readLitefsInfo())?.clusterID).toBe(
    info?.clusterID,
  );
  expect(load.failedReads).toEqual([]);
});

test("the runbook changes to another lease service under load, without losing a write", async ({
  cluster,
  smtp,
}) => {
  test.setTimeout(240_000);
  const folder = mkdtempSync(join(tmpdir(), "lectern-consul-"));
  const workspace = createWorkspace(folder);
  const address = cluster.network.listenAddress("dfw-1").replace(/\d+$/, "240");
  const other = createConsul({
    binary: (await findTools()).consul,
    addresses: new Map([["other", address]]),
    workspace,
  });
  const fly = new FlyCommand(
    cluster,
    () => `http://:${other.token}@${address}:${CONSUL_PORT}${CONSUL_PATH}`,
  );
  try {
    await other.start();
    const load = await LoadGenerator.start(cluster, smtp);
    const fromMs = performance.now();
    await fly.run(readRunbook(PAGE, "Change to another lease service"), {
      CONSUL_SITE_TOKEN: other.token,
    });
    await cluster.waitForPrimary();
    await cluster.waitForStandby();
    await load.waitForWrites(20);
    console.log(
      `changed the lease service in ${Math.round(performance.now() - fromMs)} ms: longest gap between writes ${Math.round(load.longestGapMs(fromMs, performance.now()))} ms`,
    );
    expect(await other.findLeaseSession(LEASE_KEY)).not.toBeNull();
    await expectNoLoss(cluster, load);
    expect(load.failedReads).toEqual([]);
  } finally {
    // The cluster's repair starts the nodes with their own servers.
    await Promise.all([...cluster.nodes.values()].map((node) => node.kill()));
    fly.close();
    await workspace.remove({ keep: false });
    rmSync(folder, { recursive: true, force: true });
  }
});
