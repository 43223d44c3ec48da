// Reads the metrics of a cluster's nodes.

import type { Cluster } from "#cli/cluster/cluster.ts";
import type { ClusterNode } from "#cli/cluster/node.ts";
import { INTERNAL_HEADER, signInternalRequest } from "#lib/core/internal-request-signature.ts";
import { adoptClusterSecret } from "./cluster-secret.ts";

/** Returns the values of a node's metrics, by name with labels. */
export async function readMetrics(
  cluster: Cluster,
  node: ClusterNode,
): Promise<Map<string, number>> {
  adoptClusterSecret(cluster);
  const response = await fetch(`${node.url}/metrics`, {
    headers: { [INTERNAL_HEADER]: signInternalRequest("metrics") },
    signal: AbortSignal.timeout(10_000),
  });
  if (!response.ok) throw new Error(`${node.name} answered ${response.status} to GET /metrics.`);
  return new Map(
    (await response.text()).split("\n").flatMap((line) => {
      const [, name, value] = /^([^#\s]\S*(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
      return name ? [[name, Number(value)] as const] : [];
    }),
  );
}

/** Returns how many reads have waited for their reader's own transaction, on all nodes. */
export async function countTxidWaits(cluster: Cluster): Promise<number> {
  return [...(await sumMetrics(cluster))]
    .filter(([name]) => name.startsWith("lectern_txid_wait_seconds_count"))
    .reduce((sum, [, value]) => sum + value, 0);
}

/** Returns the metrics of all nodes, summed by name. */
export async function sumMetrics(cluster: Cluster): Promise<Map<string, number>> {
  const sums = new Map<string, number>();
  for (const metrics of await Promise.all(
    [...cluster.nodes.values()].map((node) => readMetrics(cluster, node)),
  ))
    for (const [name, value] of metrics) sums.set(name, (sums.get(name) ?? 0) + value);
  return sums;
}
