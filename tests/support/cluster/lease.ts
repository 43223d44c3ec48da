// Reads and expires the lease in Consul that makes a node the primary.

import type { Cluster } from "#cli/cluster/cluster.ts";

/** Returns the session that holds the lease, or null. */
export async function findLeaseSession({ consul }: Cluster): Promise<string | null> {
  const response = await fetch(`${consul.url}/v1/kv/litefs/lectern`);
  if (response.status === 404) return null;
  const [entry] = (await response.json()) as [{ Session?: string }];
  return entry.Session ?? null;
}

/**
 * Ends the lease of a dead primary, as Consul does after one or two TTLs of 10 s, so that a test
 * that is not about that time needn't wait.
 */
export async function expireLease(cluster: Cluster): Promise<void> {
  const session = await findLeaseSession(cluster);
  if (session === null) return;
  const { ok, status } = await fetch(`${cluster.consul.url}/v1/session/destroy/${session}`, {
    method: "PUT",
  });
  if (!ok) throw new Error(`Consul did not end the session: ${status}`);
}
