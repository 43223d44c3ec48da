// Rate limiter: limits rates per key with a sliding window log, in memory. Each instance counts
// separately, so use it where requests reach the primary.

import { LRUCache } from "lru-cache";
import { AppError } from "./errors.ts";

/** Maximum keys per limiter; an LRU evicts the rest. All limiters together use about 10 MB. */
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

  /** Returns the milliseconds until `key` is below its limit, 0 if it is. Records nothing. */
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

  /** Removes the event of `key` recorded at `timeMs`, if there is one. */
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
    // If the clock was set back, forget the events rather than lock the key out.
    return times.at(-1) !== undefined && (times.at(-1) as number) > nowMs ? [] : times;
  }
}

/**
 * Records an event for each limiter and key, and returns a function that refunds them. If any limit
 * is reached, throws AppError(rate_limited) with retryAfterSeconds and records nothing.
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
