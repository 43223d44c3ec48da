// Whose cache is looked at: every instance has its own.

import { env } from "#lib/base/env.ts";
import { AppError } from "#lib/base/errors.ts";
import { currentInstance } from "#lib/litefs/instance.ts";
import { type Peer, findPeers } from "#lib/litefs/peers.ts";

export interface Instance {
  readonly name: string;
  readonly region: string | null;
  /** How another instance is reached; null for the one that answers. */
  readonly peer: Peer | null;
}

/** Every instance that is known, this one first. */
export async function knownInstances(): Promise<readonly Instance[]> {
  const others = (await findPeers()).map((peer) => ({
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
export async function chooseInstance(name: string): Promise<Instance> {
  const chosen = (await knownInstances()).find((instance) =>
    name === "" ? instance.peer === null : instance.name === name,
  );
  if (!chosen)
    throw new AppError("not_found", "There is no such instance any more. Load the page again.", {
      field: "instance",
    });
  return chosen;
}
