// Limits how many reads a reader, client or network may send.

import { HOUR_MS, MINUTE_MS } from "#lib/core/clock.ts";
import { RateLimiter, consume } from "#lib/core/rate-limit.ts";
import { clientKey, subnetKey } from "#lib/http/client-key.ts";
import type { Reader } from "./reader-id.ts";

/** Creates a limiter; the process shares one. */
export function createReadLimiter() {
  const perReader = new RateLimiter(10, MINUTE_MS);
  const perClient = new RateLimiter(60, MINUTE_MS);
  // Catches a client that sends each read with a new anonymous id.
  const perNetworkAndPost = new RateLimiter(30, HOUR_MS);

  return {
    /**
     * Counts one read from this address (null: unknown; all unknown clients share one limit). Returns a refund.
     * Throws AppError(rate_limited), and counts nothing, if it is one too many.
     */
    consume({
      member,
      clientId,
      address,
      slug,
      nowMs,
    }: Reader & { address: string | null; slug: string; nowMs: number }): () => void {
      const keys: [RateLimiter, string][] = [[perClient, address ? clientKey(address) : "unknown"]];
      if (member) keys.push([perReader, `member ${member.id}`]);
      else {
        if (clientId) keys.push([perReader, `reader ${clientId}`]);
        keys.push([perNetworkAndPost, `${address ? subnetKey(address) : "unknown"} ${slug}`]);
      }
      return consume(keys, nowMs, "Too many reads. Try again later.");
    },
  };
}
