// Work that holds whole recordings in memory: some at a time, the rest waits its turn, and not for ever.

import { within } from "../base/deadline.ts";

/** A call is up to 5 MB of bytes and 7 MB of base64: four at a time stay under 50 MB. */
const AT_ONCE = 4;
const WAIT_MS = 20_000;

// On globalThis: the bundles of pages and handlers each have their own copy of this module.
const shared = globalThis as { __lecternTurns?: { running: number; waiting: (() => void)[] } };

/** What `fn` gives, once it is its turn. Throws AppError(unavailable) when that takes longer than 20 seconds; then `fn` was not called. */
export async function inTurn<T>(fn: () => Promise<T>): Promise<T> {
  const turns = (shared.__lecternTurns ??= { running: 0, waiting: [] });
  if (turns.running >= AT_ONCE) {
    let begin: () => void = () => {};
    const free = new Promise<void>((resolve) => turns.waiting.push((begin = resolve)));
    await within(
      free,
      WAIT_MS,
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
