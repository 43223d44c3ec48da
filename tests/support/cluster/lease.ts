// Reads and expires the lease in Consul that makes a node the primary.

import { type Cluster, LEASE_KEY } from "#cli/cluster/cluster.ts";

/** Returns the session that holds the lease, or null. */
export const findLeaseSession = ({ consul }: Cluster): Promise<string | null> =>
  consul.findLeaseSession(LEASE_KEY);

/**
 * Ends the lease of a dead primary, as Consul does after one or two TTLs of 10 s, so that a test
 * that is not about that time needn't wait.
 */
export async function expireLease({ consul }: Cluster): Promise<void> {
  const session = await consul.findLeaseSession(LEASE_KEY);
  if (session !== null) await consul.destroySession(session);
}
