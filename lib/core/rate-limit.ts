// Limits rates per key with a sliding window log. In memory: on replicas a limit would multiply by the number of
// instances, so use it where requests reach the primary.

import { LRUCache } from "lru-cache";
import { AppError } from "./errors.ts";

/** Keys per limiter; an LRU evicts the others. About 10 MB for all limiters. */
const MAX_KEYS = 10_000;

/** At most `max` events per key in any `windowMs`. */
export class RateLimiter {
  readonly #max: number;
  readonly #windowMs: number;
  readonly #times: LRUCache<string, number[]>;

  constructor(max: number, windowMs: number, maxKeys = MAX_KEYS) {
    this.#max = max;
    this.#windowMs = windowMs;
    this.#times = new LRUCache({ max: maxKeys });
  }

  /** Returns 0 if the key is below its limit, else the ms until it is. Records nothing. */
  retryAfterMs(key: string, nowMs: number): number {
    const oldest = this.#recent(key, nowMs).at(-this.#max);
    return oldest === undefined ? 0 : oldest + this.#windowMs - nowMs;
  }

  /** Records an event without checking the limit; see consume(). */
  record(key: string, nowMs: number): void {
    const times = this.#recent(key, nowMs);
    times.push(nowMs);
    this.#times.set(key, times);
  }

  /** Removes an event of `key` at `timeMs`, if still in the window. */
  refund(key: string, timeMs: number): void {
    const times = this.#times.peek(key);
    const index = times?.lastIndexOf(timeMs) ?? -1;
    if (index >= 0) times!.splice(index, 1);
  }

  get size(): number {
    return this.#times.size;
  }

  #recent(key: string, nowMs: number): number[] {
    const times = this.#times.get(key) ?? [];
    while (times[0] !== undefined && times[0] <= nowMs - this.#windowMs) times.shift();
    // A clock that was set back must not lock out a key for that long.
    return times.at(-1) !== undefined && (times.at(-1) as number) > nowMs ? [] : times;
  }
}

/**
 * Records an event for each limiter and key, and returns a refund. If any is at its limit, throws
 * AppError(rate_limited) with retryAfterSeconds and records nothing.
 */
export function consume(
  keys: readonly (readonly [RateLimiter, string])[],
  nowMs: number,
  message: string,
): () => void {
  const waitMs = Math.max(0, ...keys.map(([limiter, key]) => limiter.retryAfterMs(key, nowMs)));
  if (waitMs > 0)
    throw new AppError("rate_limited", message, { retryAfterSeconds: Math.ceil(waitMs / 1000) });
  for (const [limiter, key] of keys) limiter.record(key, nowMs);
  return () => {
    for (const [limiter, key] of keys) limiter.refund(key, nowMs);
  };
}
