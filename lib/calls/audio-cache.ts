// Sounds that were read a moment ago, one copy of each: a player asks for one in many ranges, and many hear the same.

import { LRUCache } from "lru-cache";

export interface CachedAudio {
  readonly bytes: Uint8Array;
  readonly etag: string;
}

/**
 * The sounds that were asked for last, up to `maxBytes`; and beyond them those that somebody still holds, as a slow listener does:
 * whoever asks for one of these gets the same copy, so that going through all sounds again and again makes no new ones.
 */
export class AudioCache {
  readonly #recent: LRUCache<string, CachedAudio>;
  readonly #living = new Map<
    string,
    { readonly bytes: WeakRef<Uint8Array>; readonly etag: string }
  >();
  readonly #gone = new FinalizationRegistry<string>((key) => {
    if (!this.#living.get(key)?.bytes.deref()) this.#living.delete(key);
  });

  constructor(maxBytes: number, ttlMs: number) {
    this.#recent = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: ({ bytes }) => bytes.length + 200,
      ttl: ttlMs,
    });
  }

  /** The sound of `key`, which must change whenever the bytes do; read by `read` when nobody has it. null is not remembered. */
  get(key: string, read: () => CachedAudio | null): CachedAudio | null {
    const kept = this.#recent.get(key);
    if (kept) return kept;
    const living = this.#living.get(key);
    const bytes = living?.bytes.deref();
    const sound = living && bytes ? { bytes, etag: living.etag } : read();
    if (!sound) return null;
    if (!bytes) {
      this.#living.set(key, { bytes: new WeakRef(sound.bytes), etag: sound.etag });
      this.#gone.register(sound.bytes, key);
    }
    this.#recent.set(key, sound);
    return sound;
  }
}
