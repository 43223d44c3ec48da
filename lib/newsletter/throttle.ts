// Spaces emails evenly, so that a mail server's rate limit is not exceeded.

import { setTimeout as sleep } from "node:timers/promises";
import { MINUTE_MS } from "#lib/core/clock.ts";

/** Returns a function that resolves at most `perMinute` times a minute. */
export function createThrottle(perMinute: number): () => Promise<void> {
  const intervalMs = MINUTE_MS / perMinute;
  let nextMs = 0;
  return async () => {
    const now = performance.now();
    const waitMs = nextMs - now;
    nextMs = Math.max(nextMs, now) + intervalMs;
    if (waitMs > 0) await sleep(waitMs);
  };
}
