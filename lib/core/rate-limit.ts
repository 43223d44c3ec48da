// How often somebody may do something. In memory, bounded; for what is counted where writes land:
// limits on each replica would multiply by the number of regions.

import { LRUCache } from "lru-cache";
import { AppError } from "./errors.ts";

/** Keys that each limit remembers; the one not seen for longest is forgotten first. At most some 10 MB in all. */
const MAX_KEYS = 10_000;

/** Remembers when each key was last let through: exact over any stretch of `windowMs`, not only from hour to hour. */
export class RateLimiter {
  readonly #max: number;
  readonly #windowMs: number;
  readonly #times: LRUCache<string, number[]>;

  constructor(max: number, windowMs: number, maxKeys = MAX_KEYS) {
    this.#max = max;
    this.#windowMs = windowMs;
    this.#times = new LRUCache({ max: maxKeys });
  }

  /** 0 when the key may go on, else for how many ms it must wait. Counts nothing. */
  retryAfterMs(key: string, nowMs: number): number {
    const oldest = this.#recent(key, nowMs).at(-this.#max);
    return oldest === undefined ? 0 : oldest + this.#windowMs - nowMs;
  }

  record(key: string, nowMs: number): void {
    const times = this.#recent(key, nowMs);
    times.push(nowMs);
    this.#times.set(key, times);
  }

  /** Takes back one `count` of `key` at `timeMs`, if it is still remembered. */
  refund(key: string, timeMs: number): void {
    const times = this.#times.peek(key);
    const at = times?.lastIndexOf(timeMs) ?? -1;
    if (at >= 0) times!.splice(at, 1);
  }

  get size(): number {
    return this.#times.size;
  }

  #recent(key: string, nowMs: number): number[] {
    const times = this.#times.get(key) ?? [];
    while (times[0] !== undefined && times[0] <= nowMs - this.#windowMs) times.shift();
    // A clock that went back must not leave a key locked out for as long as it went.
    return times.at(-1) !== undefined && (times.at(-1) as number) > nowMs ? [] : times;
  }
}

/**
 * Counts one try for each of `keys` under its limit. Throws AppError(rate_limited) with retryAfterSeconds, and counts nothing,
 * when it is one too many for any of them. What comes back gives the try back.
 */
export function consume(
  keys: readonly (readonly [RateLimiter, string])[],
  nowMs: number,
  message: string,
): () => void {
  const waitMs = Math.max(0, ...keys.map(([limit, key]) => limit.retryAfterMs(key, nowMs)));
  if (waitMs > 0)
    throw new AppError("rate_limited", message, { retryAfterSeconds: Math.ceil(waitMs / 1000) });
  for (const [limit, key] of keys) limit.record(key, nowMs);
  return () => {
    for (const [limit, key] of keys) limit.refund(key, nowMs);
  };
}
