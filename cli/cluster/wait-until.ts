// Waiting for a state of the cluster: polls to a deadline, and says what it saw last when that passes.

import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";

const POLL_MS = 50;

/**
 * What `look` saw once `isReached` holds for it. Looks every 50 ms; an error of `look` counts as something seen.
 * Throws "<what>: not within <deadlineMs> ms, last seen: …" when the deadline passes first.
 */
export async function waitUntil<Seen>(
  what: string,
  deadlineMs: number,
  look: () => Seen | Promise<Seen>,
  isReached: (seen: Seen) => boolean = Boolean,
): Promise<Seen> {
  const endMs = performance.now() + deadlineMs;
  let last: unknown;
  for (;;) {
    try {
      const seen = await look();
      if (isReached(seen)) return seen;
      last = seen;
    } catch (error) {
      last = error instanceof Error ? error.message : error;
    }
    if (performance.now() > endMs)
      throw new Error(
        `${what}: not within ${deadlineMs} ms, last seen: ${typeof last === "string" ? last : inspect(last, { depth: 4, breakLength: 160 })}`,
      );
    await sleep(POLL_MS);
  }
}
