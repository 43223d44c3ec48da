// Tests the standby: durable writes wait for it and work without it, and it never takes over while
// it lags.

import { setTimeout as sleep } from "node:timers/promises";
import { assertInvariant } from "#tests/support/invariants.ts";
import type { Cluster } from "#cli/cluster/cluster.ts";
import { expect, test } from "#tests/support/cluster/fixtures.ts";
import { expireLease, findLeaseSession } from "#tests/support/cluster/lease.ts";
import { startEmailLogin } from "#tests/support/cluster/login-by-email.ts";
import type { ClusterNode } from "#cli/cluster/node.ts";
import { listCountedSlugs } from "#tests/support/cluster/read-your-writes-load.ts";
import { ClusterClient } from "#tests/support/cluster/cluster-client.ts";
import { makeReadBeacon } from "#tests/support/cluster/cluster-secret.ts";
import { queryNode, seedMembers } from "#tests/support/cluster/node-database.ts";
import { readMetrics } from "#tests/support/cluster/node-metrics.ts";
import { pick } from "#tests/support/random.ts";
import { waitUntil } from "#cli/cluster/wait-until.ts";

/** The timeout of lib/db/database.ts. */
const DURABLE_SECONDS = 2;
/** A timer is late if a busy machine pauses the site. */
const PAUSE_SECONDS = 2.5;
/** Less than a wait. */
const NO_WAIT_SECONDS = 0.8;
const ON_ONE_MACHINE = "write.not_durable";
const TOO_SLOW = "the standby did not have it within 2000 ms";
/** More log than a node writes in a run. */
const LOG_BYTES = 16 * 1024 * 1024;

const standbyOf = async (node: ClusterNode) =>
  ((await (await fetch(`${node.url}/readyz`)).json()) as { ready: boolean; standby: string | null })
    .standby;
const isHeld = (primary: ClusterNode) =>
  waitUntil(
    `${primary.name} has a standby`,
    30_000,
    () => standbyOf(primary),
    (seen) => seen === "connected",
  );
/** Counts `text` in a node's log. */
const said = (node: ClusterNode, text: string) => node.log(LOG_BYTES).split(text).length - 1;

/** Returns the waits of durable writes on this node, by result. */
async function waits(
  cluster: Cluster,
  node: ClusterNode,
  result: "timed_out" | "no_standby",
): Promise<{ count: number; quickCount: number; seconds: number }> {
  const metrics = await readMetrics(cluster, node);
  const value = (what: string, more = "") =>
    metrics.get(`lectern_durable_wait_seconds_${what}{result="${result}"${more}}`) ?? 0;
  return {
    count: value("count"),
    quickCount: value("bucket", ',le="0.5"'),
    seconds: value("sum"),
  };
}

/** Prepares logins that only need their confirmation. */
async function readyLogins(
  cluster: Cluster,
  smtp: Parameters<typeof startEmailLogin>[1],
  count: number,
) {
  const presses: Awaited<ReturnType<typeof startEmailLogin>>[] = [];
  for (const { email } of await seedMembers(cluster, count))
    presses.push(await startEmailLogin(cluster, smtp, email));
  return presses;
}

/**
 * Reports new reads through random edges, each in a transaction that is not durable. Returns their
 * readers.
 */
async function report(cluster: Cluster, count: number): Promise<string[]> {
  const slugs = await listCountedSlugs(cluster);
  const readers: string[] = [];
  for (let i = 0; i < count; i += 1) {
    const visitor = new ClusterClient(cluster);
    expect(
      await visitor.request(
        pick(Math.random, [...cluster.edges.keys()]),
        "/reads",
        makeReadBeacon(cluster, pick(Math.random, slugs)),
      ),
    ).toMatchObject({ status: 204 });
    readers.push(visitor.cookies.get("reader")!.split(".")[0]!);
    visitor.close();
  }
  return readers;
}

const missingOn = (node: ClusterNode, readers: readonly string[]) => {
  const there = new Set(
    queryNode<{ clientId: string }>(
      node,
      `SELECT "clientId" FROM "PostRead" WHERE "clientId" IS NOT NULL`,
    ).map(({ clientId }) => clientId),
  );
  return readers.filter((reader) => !there.has(reader));
};

test("an isolated standby delays one durable write by at most two seconds, and that is logged", async ({
  cluster,
  smtp,
}) => {
  const primary = await cluster.waitForPrimary();
  const standby = await cluster.waitForStandby();
  await isHeld(primary);
  const [warm, first, second, third, last] = await readyLogins(cluster, smtp, 5);
  const saidBefore = said(primary, ON_ONE_MACHINE);
  const { sessionKey } = await warm!();
  expect(
    queryNode(standby, `SELECT 1 FROM "Session" WHERE "id" = '${sessionKey}'`),
    "acknowledged once the standby has it",
  ).toHaveLength(1);
  expect(said(primary, ON_ONE_MACHINE)).toBe(saidBefore);

  const slowBefore = said(primary, TOO_SLOW);
  const had = await waits(cluster, primary, "timed_out");
  cluster.network.isolateNode(standby.name);
  await first!();
  // Together, since the primary drops a standby that has been silent for ten seconds.
  await Promise.all([second!(), third!()]);
  expect(await standbyOf(primary)).toBe("slow");
  const { count, quickCount, seconds } = await waits(cluster, primary, "timed_out");
  console.log(
    `three durable writes with the standby cut off waited ${(seconds - had.seconds).toFixed(3)} s together`,
  );
  expect([count - had.count, quickCount - had.quickCount]).toEqual([3, 2]);
  expect(seconds - had.seconds).toBeGreaterThan(DURABLE_SECONDS - 0.1);
  expect(seconds - had.seconds).toBeLessThan(DURABLE_SECONDS + PAUSE_SECONDS);
  expect(said(primary, ON_ONE_MACHINE)).toBe(saidBefore + 3);
  expect(said(primary, TOO_SLOW)).toBe(slowBefore + 3);

  cluster.network.healLinks();
  await isHeld(primary);
  await cluster.waitUntilInSync();
  const again = await last!();
  expect(
    queryNode(standby, `SELECT 1 FROM "Session" WHERE "id" = '${again.sessionKey}'`),
  ).toHaveLength(1);
  expect(said(primary, ON_ONE_MACHINE)).toBe(saidBefore + 3);
});

test("without a standby, durable writes don't wait, and log and /readyz report it", async ({
  cluster,
  smtp,
}) => {
  const primary = await cluster.waitForPrimary();
  const standby = await cluster.waitForStandby();
  await isHeld(primary);
  const presses = await readyLogins(cluster, smtp, 3);
  const before = said(primary, "no standby is connected");
  await standby.kill();
  await waitUntil(
    "The primary knows that it is alone",
    10_000,
    () => standbyOf(primary),
    (seen) => seen === "no standby is connected",
  );
  expect((await fetch(`${primary.url}/readyz`)).status).toBe(200);
  const had = await waits(cluster, primary, "no_standby");
  for (const press of presses) await press();
  const { count, seconds } = await waits(cluster, primary, "no_standby");
  expect(count - had.count).toBe(3);
  expect(seconds - had.seconds).toBeLessThan(NO_WAIT_SECONDS);
  expect(said(primary, "no standby is connected")).toBe(before + 3);
  standby.start();
  await isHeld(primary);
});

test.describe("a standby that lags when the primary dies", () => {
  test("does not take over while the primary may return, and no write is lost when it does", async ({
    cluster,
    smtp,
  }) => {
    test.setTimeout(240_000);
    const primary = await cluster.waitForPrimary();
    const standby = await cluster.waitForStandby();
    await isHeld(primary);
    const [press] = await readyLogins(cluster, smtp, 1);
    cluster.network.cutLink(primary.name, standby.name);
    const readers = await report(cluster, 5);
    // Acknowledged after two seconds on one machine. By then, the heartbeat requires a successor to
    // have it.
    const { sessionKey } = await press!();
    await primary.kill();
    await waitUntil(
      `${standby.name} is no candidate any more`,
      30_000,
      async () => (await standby.readLitefsInfo())?.candidate ?? null,
      (candidate) => candidate === false,
    );
    expect(standby.log(LOG_BYTES)).toContain("launcher.standby_behind");
    // Heals links only now, because data in flight when a machine dies never arrives.
    cluster.network.healLinks();
    // The lease is free, and every candidate tries to get it once a second.
    await expireLease(cluster);
    const untilMs = performance.now() + 5_000;
    while (performance.now() < untilMs) {
      expect((await standby.readLitefsInfo())?.isPrimary ?? false).toBe(false);
      expect((await fetch(`${cluster.getEdgeUrl("ams")}/blog`)).status).toBe(200);
      await sleep(100);
    }
    expect(await findLeaseSession(cluster)).toBeNull();
    const refused = await new ClusterClient(cluster).request(
      "ams",
      "/reads",
      makeReadBeacon(cluster, pick(Math.random, await listCountedSlugs(cluster))),
    );
    expect(refused.status).toBe(503);
    expect(refused.headers["retry-after"]).toBeDefined();

    primary.start();
    await waitUntil(
      `${primary.name} is primary again`,
      60_000,
      async () => (await cluster.findPrimary())?.name ?? null,
      (name) => name === primary.name,
    );
    await cluster.waitForStandby(90_000);
    await cluster.waitUntilInSync();
    for (const node of cluster.nodes.values()) {
      assertInvariant(`no acknowledged write is missing on ${node.name}`, missingOn(node, readers));
      assertInvariant(
        `the login is on ${node.name}`,
        queryNode(node, `SELECT 1 FROM "Session" WHERE "id" = '${sessionKey}'`).length === 1
          ? []
          : [sessionKey],
      );
    }
  });
});
