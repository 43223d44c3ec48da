// Caches recordings in memory, one copy each: a player requests many ranges, and popular files have
// many players.

import { LRUCache } from "lru-cache";

export interface CachedAudio {
  readonly bytes: Uint8Array;
  readonly etag: string;
}

/**
 * Implements an LRU cache of recently served recordings. An evicted entry stays reachable through a
 * WeakRef while a response streams it, so each recording is in memory at most once.
 */
export class AudioCache {
  readonly #recent: LRUCache<string, CachedAudio>;
  readonly #inUse = new Map<
    string,
    { readonly bytes: WeakRef<Uint8Array>; readonly etag: string }
  >();
  readonly #finalizer = new FinalizationRegistry<string>((key) => {
    if (!this.#inUse.get(key)?.bytes.deref()) this.#inUse.delete(key);
  });

  constructor(maxBytes: number, ttlMs: number) {
    this.#recent = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: ({ bytes }) => bytes.length + 200,
      ttl: ttlMs,
    });
  }

  /** Returns the recording for `key`, or null. The key must change with the bytes. */
  get(key: string): CachedAudio | null {
    const recent = this.#recent.get(key);
    if (recent) return recent;
    const inUse = this.#inUse.get(key);
    const bytes = inUse?.bytes.deref();
    if (!inUse || !bytes) return null;
    const audio = { bytes, etag: inUse.etag };
    this.#recent.set(key, audio);
    return audio;
  }

  /**
   * Caches the recording for `key` and returns it, or the copy already in memory if another request
   * has read it in the meantime.
   */
  add(key: string, audio: CachedAudio): CachedAudio {
    const present = this.get(key);
    if (present) return present;
    this.#inUse.set(key, { bytes: new WeakRef(audio.bytes), etag: audio.etag });
    this.#finalizer.register(audio.bytes, key);
    this.#recent.set(key, audio);
    return audio;
  }
}
