// Replaces the primary's URL in Consul's lease with that of a relay with deadlines (peer-relay.ts).

import { type PeerRelay, startPeerRelay } from "./peer-relay.ts";

export interface LeaseRelay {
  /**
   * Returns Consul's JSON for the lease's key with the URL of a relay on this machine; unchanged if
   * this node holds the lease. Each primary has its own relay, because LiteFS caches connections by
   * address.
   */
  relayLease(body: Buffer): Promise<Buffer>;
  close(): Promise<void>;
}

/** `instance` is this node's name. */
export function createLeaseRelay(instance: string): LeaseRelay {
  const relays = new Map<string, Promise<PeerRelay>>();

  function relayTo(target: string): Promise<PeerRelay> {
    const relay = relays.get(target) ?? startPeerRelay(target);
    relays.set(target, relay);
    // The next request tries again.
    relay.catch(() => relays.delete(target));
    return relay;
  }

  return {
    async relayLease(body) {
      const [entry] = JSON.parse(body.toString()) as { Value: string | null }[];
      if (!entry?.Value) return body;
      const lease = JSON.parse(Buffer.from(entry.Value, "base64").toString()) as {
        hostname: string;
        "advertise-url": string;
      };
      if (lease.hostname === instance) return body;
      const { url } = await relayTo(lease["advertise-url"]);
      const relayed = Buffer.from(JSON.stringify({ ...lease, "advertise-url": url }));
      return Buffer.from(JSON.stringify([{ ...entry, Value: relayed.toString("base64") }]));
    },
    async close() {
      for (const relay of relays.values()) await (await relay).close();
    },
  };
}
