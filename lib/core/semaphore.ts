// How much may go on at the same time. In memory, for what is held where it is asked for: on each replica its own.

import { AppError } from "./errors.ts";

/** Places that are taken and given back: so many in all, and so many for each key. */
export class Semaphore {
  readonly #max: number;
  readonly #maxPerKey: number;
  readonly #taken = new Map<string, number>();
  #count = 0;

  constructor(max: number, maxPerKey: number) {
    this.#max = max;
    this.#maxPerKey = maxPerKey;
  }

  /** Takes a place. What comes back gives it back, once however often it is called. Throws AppError(rate_limited) where none is free. */
  acquire(
    key: string,
    refusal: { readonly own: string; readonly all: string; readonly retryAfterSeconds: number },
  ): () => void {
    const own = this.#taken.get(key) ?? 0;
    if (own >= this.#maxPerKey)
      throw new AppError("rate_limited", refusal.own, {
        retryAfterSeconds: refusal.retryAfterSeconds,
      });
    if (this.#count >= this.#max)
      throw new AppError("rate_limited", refusal.all, {
        retryAfterSeconds: refusal.retryAfterSeconds,
      });
    this.#taken.set(key, own + 1);
    this.#count += 1;
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.#count -= 1;
      const left = (this.#taken.get(key) ?? 1) - 1;
      if (left > 0) this.#taken.set(key, left);
      else this.#taken.delete(key);
    };
  }

  get acquiredCount(): number {
    return this.#count;
  }
}
