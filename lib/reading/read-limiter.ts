// How many reads one reader, client or network may send.

import { HOUR_MS, MINUTE_MS } from "#lib/core/clock.ts";
import { RateLimiter, consume } from "#lib/core/rate-limit.ts";
import { clientKey, subnetKey } from "#lib/http/client-key.ts";
import type { Reader } from "./reader-id.ts";

/** A limiter with memory of its own: one per process. */
export function createReadLimiter() {
  const perReader = new RateLimiter(10, MINUTE_MS); // the reference's own limit
  const perClient = new RateLimiter(60, MINUTE_MS);
  const perNetworkAndPost = new RateLimiter(30, HOUR_MS); // a new anonymous id for each read would pass the other two

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
      const counted: [RateLimiter, string][] = [
        [perClient, address ? clientKey(address) : "unknown"],
      ];
      if (member) counted.push([perReader, `member ${member.id}`]);
      else {
        if (clientId) counted.push([perReader, `reader ${clientId}`]);
        counted.push([perNetworkAndPost, `${address ? subnetKey(address) : "unknown"} ${slug}`]);
      }
      return consume(counted, nowMs, "Too many reads. Try again later.");
    },
  };
}

export type ReadLimiter = ReturnType<typeof createReadLimiter>;
