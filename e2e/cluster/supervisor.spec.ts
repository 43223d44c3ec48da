// Tests the supervisor: stops, corrupt and empty stores, and crashing processes.

import { randomFillSync } from "node:crypto";
import { closeSync, existsSync, openSync, readFileSync, readdirSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { ClusterNode } from "#cli/cluster/node.ts";
import { expect, test } from "#tests/support/cluster/fixtures.ts";
import { FlyCommand } from "#tests/support/cluster/fly-command.ts";
import { readRunbook } from "#tests/support/runbook.ts";
import { requestLoginEmail } from "#tests/support/cluster/browser-visitor.ts";
import { readCommandLine } from "#cli/cluster/process-sessions.ts";
import { waitUntil } from "#cli/cluster/wait-until.ts";

/** More log than a node writes in a run. */
const LOG_BYTES = 16 * 1024 * 1024;

const store = (node: ClusterNode) => join(node.dataDir, "litefs");
const quarantinedStores = (node: ClusterNode) =>
  readdirSync(node.dataDir).filter((name) => name.startsWith("litefs.quarantine-"));

/** Reads the node's log from now on. */
function listen(node: ClusterNode): () => string {
  const { length } = node.log(LOG_BYTES);
  return () => node.log(LOG_BYTES).slice(length);
}

/**
 * Corrupts bytes in ten pages of the database. LiteFS repairs the pages of the last transaction when
 * it starts, so some of the pages must be others. The bytes are random, because equal changes to
 * two pages cancel out in LiteFS' checksum. Returns the function that restores them.
 */
function damage(node: ClusterNode): () => void {
  const path = join(store(node), "dbs", "lectern.db", "database");
  const from = 5 * 4_096;
  const before = readFileSync(path).subarray(from, from + 10 * 4_096);
  const bytes = Buffer.from(before);
  for (let at = 100; at < bytes.length; at += 4_096) randomFillSync(bytes, at, 500);
  const write = (content: Buffer) => {
    const file = openSync(path, "r+");
    writeSync(file, content, 0, content.length, from);
    closeSync(file);
  };
  write(bytes);
  return () => write(before);
}

function kill(node: ClusterNode, pattern: RegExp): void {
  const pids = node.listProcesses().filter((pid) => pattern.test(readCommandLine(pid)));
  expect(pids, String(pattern)).toHaveLength(1);
  process.kill(pids[0]!, "SIGKILL");
}

test("a candidate with a corrupt store quarantines it, and fetches a fresh snapshot; the runbook does the rest", async ({
  cluster,
}) => {
  test.setTimeout(240_000);
  const node = cluster.getNode("dfw-2");
  const fly = new FlyCommand(cluster, (url) => url);
  const runPage = (heading: string) =>
    fly.run(readRunbook("corrupt-node.md", heading), {
      NODE: node.name,
      REGION: node.region,
      COUNT: "2",
    });
  // A small last transaction; LiteFS would repair everything from a snapshot.
  await requestLoginEmail(cluster.getEdgeUrl("dfw"), "before.the.damage@example.com");
  await cluster.waitUntilInSync();
  await node.stop();
  await cluster.waitForPrimary();
  damage(node);
  const said = listen(node);
  node.start();
  await node.waitUntilReady();
  // LiteFS notices the difference when it applies the next transaction.
  await waitUntil(
    "a write is made",
    30_000,
    async () =>
      (await requestLoginEmail(cluster.getEdgeUrl("dfw"), "after.the.damage@example.com")).status,
    (status) => status === 303,
  );
  await waitUntil("it is quarantined", 30_000, () =>
    said().includes('"event":"supervisor.store_quarantined"'),
  );
  await node.waitUntilReady();
  await cluster.waitUntilInSync();
  expect(
    said().match(
      /"level":"error","event":"supervisor.store_quarantined".*does not match LTX post-apply checksum/g,
    ),
  ).toHaveLength(1);
  expect(quarantinedStores(node).length).toBeGreaterThan(0);
  expect(await runPage("Look at it")).toContain(quarantinedStores(node)[0]);
  await runPage("Delete the quarantined stores");
  expect(quarantinedStores(node)).toEqual([]);
  await runPage("Replace the machine");
  await cluster.waitUntilInSync();
  await cluster.waitForStandby();
  fly.close();
});

test("a primary that stops without a standby releases its lease, and a corrupt store is not touched without another copy", async ({
  cluster,
}) => {
  await (await cluster.waitForStandby()).stop();
  const node = await cluster.waitForPrimary();
  const saidAtStop = listen(node);
  expect(await node.stop()).toBe(0);
  expect(saidAtStop()).toMatch(
    /launcher\.no_standby[^]*exiting primary, destroying lease[^]*litefs shut down complete/,
  );
  const putBack = damage(node);
  const before = quarantinedStores(node);
  const said = listen(node);
  node.start();
  await waitUntil(
    "it gives up",
    30_000,
    () => node.isRunning(),
    (is) => !is,
  );
  expect(said()).toMatch(/supervisor\.store_corrupt.*no primary is known/);
  expect(quarantinedStores(node)).toEqual(before);
  expect(existsSync(join(store(node), "clusterid"))).toBe(true);
  putBack();
  node.start();
  expect((await cluster.waitForPrimary()).name).toBe(node.name);
});

test("a killed LiteFS on the primary is back in seconds, since its node frees the lease", async ({
  cluster,
}) => {
  const primary = await cluster.waitForPrimary();
  const said = listen(primary);
  const before = await cluster.waitUntilInSync();
  kill(primary, /litefs mount/);
  await waitUntil(
    "the lease is free",
    20_000,
    () => said(),
    (text) => text.includes('"event":"supervisor.lease_freed"'),
  );
  await cluster.waitForPrimary();
  expect((await cluster.waitUntilInSync()).txid).toBeGreaterThanOrEqual(before.txid);
});

test("a dead site is restarted, and the node keeps its role", async ({ cluster }) => {
  const primary = await cluster.waitForPrimary();
  const said = listen(primary);
  kill(primary, /server\/site\.ts/);
  await waitUntil(
    "it is seen",
    10_000,
    () => said(),
    (text) => text.includes('"event":"launcher.site_died"'),
  );
  await primary.waitUntilReady();
  expect(await primary.isPrimary()).toBe(true);
});
