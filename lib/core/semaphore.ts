// Limits concurrency with a counting semaphore, in total and per key. In memory, so each instance
// counts separately.

import { AppError } from "./errors.ts";

/** The messages of AppError(rate_limited) when `acquire` finds no free permit. */
interface Refusal {
  readonly perKeyMessage: string;
  readonly totalMessage: string;
  readonly retryAfterSeconds: number;
}

/** How long `acquireOrWait` queues before it throws AppError(unavailable) with `message`. */
interface WaitLimit {
  readonly maxWaitMs: number;
  readonly message: string;
  readonly retryAfterSeconds?: number;
}

export class Semaphore {
  readonly #max: number;
  readonly #maxPerKey: number;
  readonly #countByKey = new Map<string, number>();
  readonly #waiters: (() => void)[] = [];
  #count = 0;

  /** Allows at most `max` permits at a time, and at most `maxPerKey` of them for one key. */
  constructor(max: number, maxPerKey = max) {
    this.#max = max;
    this.#maxPerKey = maxPerKey;
  }

  get acquiredCount(): number {
    return this.#count;
  }

  /**
   * Acquires a permit and returns an idempotent release function. Throws AppError(rate_limited) if
   * none is free.
   */
  acquire(key: string, { perKeyMessage, totalMessage, retryAfterSeconds }: Refusal): () => void {
    const keyCount = this.#countByKey.get(key) ?? 0;
    if (keyCount >= this.#maxPerKey)
      throw new AppError("rate_limited", perKeyMessage, { retryAfterSeconds });
    if (this.#count >= this.#max)
      throw new AppError("rate_limited", totalMessage, { retryAfterSeconds });
    this.#count += 1;
    this.#countByKey.set(key, keyCount + 1);
    return this.#releaseOnce(() => {
      const rest = (this.#countByKey.get(key) ?? 1) - 1;
      if (rest > 0) this.#countByKey.set(key, rest);
      else this.#countByKey.delete(key);
    });
  }

  /**
   * Acquires a permit, first come, first served, and returns an idempotent release function. Throws
   * AppError(unavailable) if none is free within `maxWaitMs`.
   */
  async acquireOrWait({
    maxWaitMs,
    message,
    retryAfterSeconds = 1,
  }: WaitLimit): Promise<() => void> {
    if (this.#count >= this.#max)
      await new Promise<void>((resolve, reject) => {
        const waiter = () => {
          clearTimeout(timer);
          resolve();
        };
        const timer = setTimeout(() => {
          this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
          reject(new AppError("unavailable", message, { retryAfterSeconds }));
        }, maxWaitMs);
        timer.unref();
        this.#waiters.push(waiter);
      });
    else this.#count += 1;
    return this.#releaseOnce();
  }

  /**
   * Runs `fn` with a permit. Throws AppError(unavailable), without running `fn`, if none is free
   * within `maxWaitMs`.
   */
  async run<T>(fn: () => T | Promise<T>, limit: WaitLimit): Promise<T> {
    const release = await this.acquireOrWait(limit);
    try {
      return await fn();
    } finally {
      release();
    }
  }

  #releaseOnce(onRelease?: () => void): () => void {
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      onRelease?.();
      // Pass the permit to the first waiter, so that a new caller can't overtake it.
      const nextWaiter = this.#waiters.shift();
      if (nextWaiter) nextWaiter();
      else this.#count -= 1;
    };
  }
}
