// Tests the commands of docs/runbooks/regions.md: regions are added, removed, changed and lost.

import { assertInvariant } from "#tests/support/invariants.ts";
import { readRunbook } from "#tests/support/runbook.ts";
import { FlyCommand } from "#tests/support/cluster/fly-command.ts";
import { expect, test } from "#tests/support/cluster/fixtures.ts";
import { LoadGenerator } from "#tests/support/cluster/load-generator.ts";
import { requestLoginEmail, sendRequest } from "#tests/support/cluster/browser-visitor.ts";

const PAGE = "regions.md";

test.use({ regions: ["dfw", "ams", "syd"] });
test.skip(!process.env.SOAK_RUNBOOKS, "SOAK_RUNBOOKS=1 runs these long tests.");

test("the runbook removes a region and adds it again, with the data", async ({ cluster }) => {
  const fly = new FlyCommand(cluster, (url) => url);
  const node = cluster.getNode("syd-1");
  await fly.run(readRunbook(PAGE, "Remove a region"));
  expect(node.isRunning()).toBe(false);
  expect((await requestLoginEmail(cluster.getEdgeUrl("syd"), "away@example.com")).status).toBe(303);
  await fly.run(readRunbook(PAGE, "Add a region"));
  await cluster.waitUntilInSync();
  expect(await node.readLitefsInfo()).toMatchObject({ isPrimary: false, candidate: false });
  expect((await sendRequest(`${cluster.getEdgeUrl("syd")}/blog`)).status).toBe(200);
  fly.close();
});

test("the runbook changes the primary region under load, without losing a write", async ({
  cluster,
  smtp,
}) => {
  test.setTimeout(240_000);
  const load = await LoadGenerator.start(cluster, smtp);
  const fly = new FlyCommand(cluster, (url) => url);
  const fromMs = performance.now();
  try {
    await fly.run(readRunbook(PAGE, "Change the primary region"));
    const primary = await cluster.waitForPrimary();
    expect(primary.region).toBe("ams");
    await load.waitForWrites(20);
    console.log(
      `primary region changed in ${Math.round(performance.now() - fromMs)} ms: longest gap between writes ${Math.round(load.longestGapMs(fromMs, performance.now()))} ms`,
    );
    await load.stop();
    await cluster.waitUntilInSync();
    const { writes, logins } = load.findLostWrites(primary);
    assertInvariant("no acknowledged write is lost", [...writes, ...logins]);
  } finally {
    // The cluster's repair starts the nodes with their own primary region.
    await Promise.all([...cluster.nodes.values()].map((node) => node.kill()));
    fly.close();
  }
});

test("after the loss of the primary region, the runbook makes another one primary", async ({
  cluster,
}) => {
  test.setTimeout(240_000);
  const fly = new FlyCommand(cluster, (url) => url);
  const before = await cluster.waitUntilInSync();
  const lost = [...cluster.nodes.values()].filter(({ region }) => region === "dfw");
  try {
    await Promise.all(lost.map((node) => node.kill()));
    const fromMs = performance.now();
    await fly.run(readRunbook(PAGE, "Lost primary region"));
    const primary = await cluster.waitForPrimary();
    expect(primary.region).toBe("ams");
    const url = cluster.getEdgeUrl("syd");
    expect((await requestLoginEmail(url, "after.the.loss@example.com")).status).toBe(303);
    console.log(
      `primary region lost: writes back ${Math.round(performance.now() - fromMs)} ms after`,
    );
    expect((await cluster.waitUntilInSync()).txid).toBeGreaterThan(before.txid);
  } finally {
    // As the page says, the lost machines come back as replicas, with the newer data of the others.
    for (const node of lost) node.start({ PRIMARY_REGION: "ams" });
    await cluster.waitUntilInSync(60_000);
    await Promise.all([...cluster.nodes.values()].map((node) => node.kill()));
    fly.close();
  }
});
