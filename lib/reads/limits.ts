// How many reads one reader, client or network may send. In memory, bounded, counted where writes land:
// limits on each replica would multiply by the number of regions.

import { LRUCache } from "lru-cache";
import { AppError } from "../base/errors.ts";
import { HOUR_MS, MINUTE_MS } from "../base/clock.ts";
import { clientOf, networkOf } from "./network.ts";
import type { Reader } from "./reader-id.ts";

/** Keys that each limit remembers; the one not seen for longest is forgotten first. At most some 10 MB in all. */
const MAX_KEYS = 10_000;

/** Remembers when each key was last let through: exact over any stretch of `windowMs`, not only from hour to hour. */
export class Limit {
  readonly #max: number;
  readonly #windowMs: number;
  readonly #times: LRUCache<string, number[]>;

  constructor(max: number, windowMs: number, maxKeys = MAX_KEYS) {
    this.#max = max;
    this.#windowMs = windowMs;
    this.#times = new LRUCache({ max: maxKeys });
  }

  /** 0 when the key may go on, else for how many ms it must wait. Counts nothing. */
  waitMs(key: string, nowMs: number): number {
    const oldest = this.#recent(key, nowMs).at(-this.#max);
    return oldest === undefined ? 0 : oldest + this.#windowMs - nowMs;
  }

  count(key: string, nowMs: number): void {
    const times = this.#recent(key, nowMs);
    times.push(nowMs);
    this.#times.set(key, times);
  }

  /** Takes back one `count` of `key` at `timeMs`, if it is still remembered. */
  uncount(key: string, timeMs: number): void {
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

/** A limiter with memory of its own: one per process. */
export function createReadLimits() {
  const perReader = new Limit(10, MINUTE_MS); // the reference's own limit
  const perClient = new Limit(60, MINUTE_MS);
  const perNetworkAndPost = new Limit(30, HOUR_MS); // a new anonymous id for each read would pass the other two

  return {
    /**
     * Counts one try of this reader from this address (null where none is known: all such count as one).
     * Throws AppError(rate_limited) with retryAfterSeconds, and counts nothing, when it is one too many.
     * What comes back gives the try back, for one that turned out to be worth nothing.
     */
    take({ member, clientId, address, slug, nowMs }: Reader & { address: string | null; slug: string; nowMs: number }): () => void {
      const counted: [Limit, string][] = [[perClient, address ? clientOf(address) : "unknown"]];
      if (member) counted.push([perReader, `member ${member.id}`]);
      else {
        if (clientId) counted.push([perReader, `reader ${clientId}`]);
        counted.push([perNetworkAndPost, `${address ? networkOf(address) : "unknown"} ${slug}`]);
      }
      const waitMs = Math.max(...counted.map(([limit, key]) => limit.waitMs(key, nowMs)));
      if (waitMs > 0) throw new AppError("rate_limited", "Too many reads. Try again later.", { retryAfterSeconds: Math.ceil(waitMs / 1000) });
      for (const [limit, key] of counted) limit.count(key, nowMs);
      return () => {
        for (const [limit, key] of counted) limit.uncount(key, nowMs);
      };
    },
  };
}

export type ReadLimits = ReturnType<typeof createReadLimits>;
