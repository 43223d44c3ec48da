import { expect, test } from "vitest";
import { MINUTE_MS } from "#lib/core/clock.ts";
import { AudioCache } from "./audio-cache.ts";

test("a recording that is still referenced is not read again after its eviction", () => {
  const cache = new AudioCache(1_000, MINUTE_MS);
  let reads = 0;
  const ask = (key: string) => {
    const present = cache.get(key);
    if (present) return present;
    reads += 1;
    return cache.add(key, { bytes: new Uint8Array(600), etag: `tag of ${key}` });
  };
  const held = ["a", "b", "c", "d"].map(ask);
  expect(reads).toBe(4);
  for (let round = 0; round < 5; round++)
    for (const [i, key] of ["a", "b", "c", "d"].entries()) {
      const again = ask(key);
      expect(again.bytes).toBe(held[i]!.bytes);
      expect(again.etag).toBe(`tag of ${key}`);
    }
  expect(reads).toBe(4);
});

test("two requests that read the same recording at the same time share one copy", () => {
  const cache = new AudioCache(1_000, MINUTE_MS);
  const read = () => ({ bytes: new Uint8Array(600), etag: "tag" });
  expect([cache.get("a"), cache.get("a")]).toEqual([null, null]);
  const first = cache.add("a", read());
  expect(cache.add("a", read()).bytes).toBe(first.bytes);
  expect(cache.get("a")!.bytes).toBe(first.bytes);
});
