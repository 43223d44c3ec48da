// Lists the instances of the cluster, each of which has its own cache.

import { env } from "#lib/core/env.ts";
import { AppError } from "#lib/core/errors.ts";
import { currentInstance } from "#lib/core/instance.ts";
import { type Peer, listPeers } from "#lib/replication/peers.ts";

export interface CacheInstance {
  readonly name: string;
  readonly region: string | null;
  /** null for this instance. */
  readonly peer: Peer | null;
}

/** Returns all known instances, this one first. */
export async function listInstances(): Promise<readonly CacheInstance[]> {
  const others = (await listPeers()).map((peer) => ({
    name: peer.instance,
    region: peer.region,
    peer,
  }));
  return [{ name: currentInstance(), region: env.FLY_REGION ?? null, peer: null }, ...others];
}

/**
 * Returns the instance with this name, or this one for "". `name` is only compared: a browser's
 * text must not get into the replay header. Throws AppError(not_found).
 */
export async function getInstance(name: string): Promise<CacheInstance> {
  const match = (await listInstances()).find((instance) =>
    name === "" ? instance.peer === null : instance.name === name,
  );
  if (!match)
    throw new AppError("not_found", "This instance no longer exists. Reload the page.", {
      field: "instance",
    });
  return match;
}
