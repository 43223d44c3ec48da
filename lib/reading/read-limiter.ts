// Rate-limits reads by reader, client and subnet.

import { HOUR_MS, MINUTE_MS } from "#lib/core/clock.ts";
import { RateLimiter, consume } from "#lib/core/rate-limit.ts";
import { clientKey, subnetKey } from "#lib/http/client-key.ts";
import type { Reader } from "./reader-id.ts";

/** Creates a limiter with `factor` times the limits of reads. Each process shares one per kind of event. */
export function createReadLimiter(factor = 1) {
  const perReader = new RateLimiter(10 * factor, MINUTE_MS);
  const perClient = new RateLimiter(60 * factor, MINUTE_MS);
  // Catches clients that send each read with a new anonymous ID.
  const perNetworkAndPost = new RateLimiter(30 * factor, HOUR_MS);

  return {
    /**
     * Counts one read and returns a function that refunds it, or throws AppError(rate_limited) and
     * counts nothing. All clients with an unknown (null) `address` share one limit.
     */
    consume({
      member,
      clientId,
      address,
      slug,
      nowMs,
    }: Reader & { address: string | null; slug: string; nowMs: number }): () => void {
      const keys: [RateLimiter, string][] = [[perClient, clientKey(address)]];
      if (member) keys.push([perReader, `member ${member.id}`]);
      else {
        if (clientId) keys.push([perReader, `reader ${clientId}`]);
        keys.push([perNetworkAndPost, `${subnetKey(address)} ${slug}`]);
      }
      return consume(keys, nowMs, "Too many reads. Try again later.");
    },
  };
}
