// Bounds the memory of submitted recordings with a semaphore: 4 at a time; others wait up to 20
// seconds.

import { Semaphore } from "#lib/core/semaphore.ts";
import { singleton } from "#lib/core/singleton.ts";

/** A recording is in memory while it is probed. Each has up to 5.2 MB, so four have 21 MB. */
const MAX_CONCURRENT_SUBMITS = 4;

/** Runs `fn` with a permit. Throws AppError(unavailable) if none is free within 20 seconds. */
export const withSubmitPermit = <T>(fn: () => Promise<T>): Promise<T> =>
  singleton("submit-semaphore", () => new Semaphore(MAX_CONCURRENT_SUBMITS)).run(fn, {
    maxWaitMs: 20_000,
    message: "Many recordings are being sent right now. Nothing is lost: try again in a moment.",
    retryAfterSeconds: 5,
  });
