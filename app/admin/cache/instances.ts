// Whose cache is looked at: every instance has its own.

import { env } from "#lib/core/env.ts";
import { AppError } from "#lib/core/errors.ts";
import { currentInstance } from "#lib/core/instance.ts";
import { type Peer, listPeers } from "#lib/replication/peers.ts";

export interface CacheInstance {
  readonly name: string;
  readonly region: string | null;
  /** How another instance is reached; null for the one that answers. */
  readonly peer: Peer | null;
}

/** Every instance that is known, this one first. */
export async function listInstances(): Promise<readonly CacheInstance[]> {
  const others = (await listPeers()).map((peer) => ({
    name: peer.instance,
    region: peer.region,
    peer,
  }));
  return [{ name: currentInstance(), region: env.FLY_REGION ?? null, peer: null }, ...others];
}

/**
 * The known instance called `name`; this one for "". What a browser sends is only ever compared, never passed on:
 * it must not get into the header of a replay. Throws AppError(not_found).
 */
export async function getInstance(name: string): Promise<CacheInstance> {
  const chosen = (await listInstances()).find((instance) =>
    name === "" ? instance.peer === null : instance.name === name,
  );
  if (!chosen)
    throw new AppError("not_found", "There is no such instance any more. Load the page again.", {
      field: "instance",
    });
  return chosen;
}
