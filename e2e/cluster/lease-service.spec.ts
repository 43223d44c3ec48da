// Tests the lease service: Consul servers that hang, and the commands of
// docs/runbooks/lease-service.md.

import { readRunbook } from "#tests/support/runbook.ts";
import { FlyCommand } from "#tests/support/cluster/fly-command.ts";
import { expect, test } from "#tests/support/cluster/fixtures.ts";
import { type Cluster, LEASE_KEY } from "#cli/cluster/cluster.ts";
import { waitUntil } from "#cli/cluster/wait-until.ts";

test.use({ regions: ["dfw", "ams"], consulServers: 3 });

const PAGE = "lease-service.md";
const TTL_MS = 10_000;
/** LiteFS steps down a tenth of a second after the TTL; the rest is for a busy machine. */
const STEP_DOWN_MS = TTL_MS + 3_000;

const findSession = (cluster: Cluster) => cluster.consul.findLeaseSession(LEASE_KEY);

/** A `fly` whose DNS names the cluster's Consul servers. */
const flyFor = (cluster: Cluster) =>
  new FlyCommand(cluster, (_, node) => cluster.consulUrlFor(node.name));

test("all Consul servers hang: the primary steps down at the end of its lease, and comes back", async ({
  cluster,
}) => {
  const primary = await cluster.waitForPrimary();
  const frozenMs = performance.now();
  cluster.consul.pause();
  await waitUntil("the primary steps down", STEP_DOWN_MS, async () => !(await primary.isPrimary()));
  console.log(
    `all Consul servers frozen: the primary stepped down after ${Math.round(performance.now() - frozenMs)} ms`,
  );
  cluster.consul.resume();
  await cluster.waitForPrimary(30_000);
});

test("the runbook's checks show three servers and their leader", async ({ cluster }) => {
  const output = await flyFor(cluster).run(readRunbook(PAGE, "Check"));
  expect(output.match(/\bleader\b/g)).toHaveLength(1);
  expect(output.match(/\bfollower\b/g)).toHaveLength(2);
  expect(output.match(/\balive\b/g)).toHaveLength(3);
});

test("the runbook replaces a server, and the lease stays", async ({ cluster }) => {
  const session = await findSession(cluster);
  const server = cluster.consul.servers[1]!;
  const fly = flyFor(cluster);
  await fly.run(readRunbook(PAGE, "Replace a server"), { SERVER: server.name });
  await waitUntil(
    "there are three voters again",
    60_000,
    async () => fly.run(readRunbook(PAGE, "Check")),
    (output) =>
      output.match(/\btrue\b/g)?.length === 3 && output.match(/\bfollower\b/g)?.length === 2,
  );
  await cluster.consul.start();
  expect(await findSession(cluster)).toBe(session);
});
