// Work that holds whole recordings in memory: some at a time, the rest waits its turn, and not for ever.

import { withTimeout } from "#lib/core/with-timeout.ts";

/** A call is up to 5 MB of bytes and 7 MB of base64: four at a time stay under 50 MB. */
const MAX_CONCURRENT_SUBMITS = 4;
const MAX_WAIT_MS = 20_000;

// On globalThis: the bundles of pages and handlers each have their own copy of this module.
const shared = globalThis as { __lecternTurns?: { running: number; waiting: (() => void)[] } };

/** What `fn` gives, once it is its turn. Throws AppError(unavailable) when that takes longer than 20 seconds; then `fn` was not called. */
export async function withSubmitPermit<T>(fn: () => Promise<T>): Promise<T> {
  const turns = (shared.__lecternTurns ??= { running: 0, waiting: [] });
  if (turns.running >= MAX_CONCURRENT_SUBMITS) {
    let begin: () => void = () => {};
    const free = new Promise<void>((resolve) => turns.waiting.push((begin = resolve)));
    await withTimeout(
      free,
      MAX_WAIT_MS,
      "Many recordings are being sent just now. Nothing is lost: send it again in a moment.",
      () => {
        turns.waiting.splice(turns.waiting.indexOf(begin), 1);
      },
      5,
    );
  } else {
    turns.running += 1;
  }
  try {
    return await fn();
  } finally {
    // The turn is handed on: nobody who comes meanwhile slips in between.
    const next = turns.waiting.shift();
    if (next) next();
    else turns.running -= 1;
  }
}
