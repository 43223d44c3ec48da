// Polls until a condition holds or a deadline passes, and reports the last state seen.

import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";

const POLL_MS = 50;

/**
 * Calls `observe` every 50 ms and returns its result once `isReached` accepts it. An error of
 * `observe` counts as a state and is retried. Throws "<goal>: not within <deadlineMs> ms, last
 * seen: …" at the deadline.
 */
export async function waitUntil<Seen>(
  goal: string,
  deadlineMs: number,
  observe: () => Seen | Promise<Seen>,
  isReached: (seen: Seen) => boolean = Boolean,
): Promise<Seen> {
  const endMs = performance.now() + deadlineMs;
  let last: unknown;
  for (;;) {
    try {
      const seen = await observe();
      if (isReached(seen)) return seen;
      last = seen;
    } catch (error) {
      last = error instanceof Error ? error.message : error;
    }
    if (performance.now() > endMs)
      throw new Error(
        `${goal}: not within ${deadlineMs} ms, last seen: ${typeof last === "string" ? last : inspect(last, { depth: 4, breakLength: 160 })}`,
      );
    await sleep(POLL_MS);
  }
}
