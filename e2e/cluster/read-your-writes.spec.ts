// Tests read-your-writes across regions, and the cost of invalid txid cookies.

import { assertInvariant } from "#tests/support/invariants.ts";
import { expect, test } from "#tests/support/cluster/fixtures.ts";
import {
  listCountedSlugs,
  runReadYourWritesLoad,
} from "#tests/support/cluster/read-your-writes-load.ts";
import { ClusterClient } from "#tests/support/cluster/cluster-client.ts";
import { makeReadBeacon, signWithClusterSecret } from "#tests/support/cluster/cluster-secret.ts";
import { seedMembers } from "#tests/support/cluster/node-database.ts";
import { countTxidWaits } from "#tests/support/cluster/node-metrics.ts";

/** `SOAK_KILLS=10` tries 2,000. */
const PAIRS = process.env.SOAK_KILLS ? 2_000 : 100;
const AT_ONCE = 8;
const DISTANT_PAIRS = process.env.SOAK_KILLS ? 400 : 30;

test("the read after a write sees it in another region", async ({ cluster }) => {
  test.setTimeout(400_000);
  const result = await runReadYourWritesLoad(cluster, PAIRS, AT_ONCE);
  console.log("read your writes:", JSON.stringify(result));
  assertInvariant("clients read their own writes", result.failures);
  expect(result.pairCount).toBe(PAIRS);
  // Most writes arrive before the read. The other reads are replayed, such as all that run while a
  // busy machine pauses the replica.
  expect(result.replayedReads).toBeLessThan(PAIRS / 4);
});

test("the read after a write sees it in another region, with real latency", async ({ cluster }) => {
  test.setTimeout(240_000);
  cluster.setLatency(true);
  const result = await runReadYourWritesLoad(cluster, DISTANT_PAIRS, AT_ONCE).finally(() =>
    cluster.setLatency(false),
  );
  console.log("read your writes over distances:", JSON.stringify(result));
  assertInvariant("clients read their own writes", result.failures);
  expect(result.pairCount).toBe(DISTANT_PAIRS);
});

test("what all readers share is new on every instance after a commit elsewhere", async ({
  cluster,
}) => {
  const [member] = await seedMembers(cluster, 1);
  const [slug] = await listCountedSlugs(cluster);
  const countReads = async (region: string) => {
    // Without a txid cookie, nothing waits or replays: the instance must see the commit itself.
    const reader = new ClusterClient(cluster, { session: member!.session });
    const { text } = await reader.request(region, `/blog/${slug}`);
    reader.close();
    const [, once, times] = /Read to the end (?:(once)|([\d,]+) times)/.exec(text) ?? [];
    return once ? 1 : Number(times?.replaceAll(",", "") ?? 0);
  };
  for (let i = 0; i < 3; i += 1) {
    const before = await Promise.all([...cluster.edges.keys()].map(countReads));
    const writer = new ClusterClient(cluster);
    const { status } = await writer.request("dfw", "/reads", makeReadBeacon(cluster, slug!));
    writer.close();
    expect(status).toBe(204);
    await cluster.waitUntilInSync();
    expect(await Promise.all([...cluster.edges.keys()].map(countReads))).toEqual(
      before.map((count) => count + 1),
    );
  }
});

test.describe("an invalid txid", () => {
  // Warms up: the first page of a process is slow.
  test.beforeEach(async ({ cluster }) => {
    const visitor = new ClusterClient(cluster);
    for (const region of [...cluster.edges.keys(), "dfw"]) {
      await visitor.request(region, "/blog");
      visitor.cookies.set("txid", "worthless");
      await visitor.request(region, "/blog");
    }
    visitor.close();
  });

  /** Makes the site's cookie for `txid`, `ageMs` old. */
  const made = (sign: (text: string) => string, txid: number, ageMs = 0) => {
    const text = `${txid.toString(36)}.${(Date.now() - ageMs).toString(36)}`;
    return `${text}.${sign(text)}`;
  };

  test("from before a restore, it costs half a second and a replay once: the primary expires the cookie", async ({
    cluster,
  }) => {
    const { txid } = await cluster.waitUntilInSync();
    for (const region of ["ams", "dfw"]) {
      const visitor = new ClusterClient(cluster, {
        txid: made((text) => signWithClusterSecret(cluster, "txid", text), txid + 1_000_000),
      });
      const other = new ClusterClient(cluster);
      const before = await countTxidWaits(cluster);
      const [first, meanwhile] = await Promise.all([
        visitor.request(region, "/blog"),
        other.request(region, "/blog"),
      ]);
      expect(first.status).toBe(200);
      expect(first.headers["set-cookie"]?.join()).toMatch(
        /^txid=; Max-Age=0; Path=\/; HttpOnly; SameSite=Lax$/,
      );
      expect(visitor.cookies.has("txid")).toBe(false);
      expect(meanwhile).toMatchObject({ status: 200 });
      expect(meanwhile.headers["set-cookie"]).toBeUndefined();
      // In dfw, the primary itself may respond.
      const waits = (await countTxidWaits(cluster)) - before;
      expect(waits).toBeGreaterThanOrEqual(region === "ams" ? 1 : 0);
      expect(waits).toBeLessThanOrEqual(1);
      const second = await visitor.request(region, "/blog");
      expect(second.status).toBe(200);
      expect((await countTxidWaits(cluster)) - before).toBe(waits);
      visitor.close();
      other.close();
    }
  });

  for (const [what, cookie] of [
    ["forged", (txid: number) => made(() => "A".repeat(43), txid + 1_000_000)],
    ["LiteFS' own kind", () => "ffffffffffffffff"],
    ["very long", () => "z".repeat(4_000)],
  ] as const) {
    test(`${what}, it costs nothing`, async ({ cluster }) => {
      const { txid } = await cluster.waitUntilInSync();
      const edge = cluster.edges.get("ams")!;
      const before = [edge.counts.replay, await countTxidWaits(cluster)];
      const visitor = new ClusterClient(cluster, { txid: cookie(txid) });
      const { status } = await visitor.request("ams", "/blog");
      expect(status).toBe(200);
      expect([edge.counts.replay, await countTxidWaits(cluster)]).toEqual(before);
      visitor.close();
    });
  }

  test("two minutes old, it costs nothing", async ({ cluster }) => {
    const { txid } = await cluster.waitUntilInSync();
    const edge = cluster.edges.get("ams")!;
    const before = [edge.counts.replay, await countTxidWaits(cluster)];
    const visitor = new ClusterClient(cluster, {
      txid: made((text) => signWithClusterSecret(cluster, "txid", text), txid + 1_000_000, 120_000),
    });
    const { status } = await visitor.request("ams", "/blog");
    expect(status).toBe(200);
    expect([edge.counts.replay, await countTxidWaits(cluster)]).toEqual(before);
    visitor.close();
  });
});
