// How many reads one reader, client or network may send.

import { HOUR_MS, MINUTE_MS } from "../base/clock.ts";
import { Limit, takeAll } from "../base/limit.ts";
import { clientOf, networkOf } from "../base/network.ts";
import type { Reader } from "./reader-id.ts";

/** A limiter with memory of its own: one per process. */
export function createReadLimits() {
  const perReader = new Limit(10, MINUTE_MS); // the reference's own limit
  const perClient = new Limit(60, MINUTE_MS);
  const perNetworkAndPost = new Limit(30, HOUR_MS); // a new anonymous id for each read would pass the other two

  return {
    /**
     * Counts one try of this reader from this address (null where none is known: all such count as one).
     * Throws AppError(rate_limited) with retryAfterSeconds, and counts nothing, when it is one too many.
     * What comes back gives the try back, for one that turned out to be worth nothing.
     */
    take({
      member,
      clientId,
      address,
      slug,
      nowMs,
    }: Reader & { address: string | null; slug: string; nowMs: number }): () => void {
      const counted: [Limit, string][] = [[perClient, address ? clientOf(address) : "unknown"]];
      if (member) counted.push([perReader, `member ${member.id}`]);
      else {
        if (clientId) counted.push([perReader, `reader ${clientId}`]);
        counted.push([perNetworkAndPost, `${address ? networkOf(address) : "unknown"} ${slug}`]);
      }
      return takeAll(counted, nowMs, "Too many reads. Try again later.");
    },
  };
}

export type ReadLimits = ReturnType<typeof createReadLimits>;
