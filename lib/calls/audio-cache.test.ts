import { expect, test } from "vitest";
import { MINUTE_MS } from "#lib/core/clock.ts";
import { AudioCache } from "./audio-cache.ts";

test("a recording that is still referenced is not read again after its eviction", () => {
  const kept = new AudioCache(1_000, MINUTE_MS);
  let reads = 0;
  const ask = (key: string) =>
    kept.get(key, () => {
      reads += 1;
      return { bytes: new Uint8Array(600), etag: `tag of ${key}` };
    })!;
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

test("a miss is not cached", () => {
  const kept = new AudioCache(1_000, MINUTE_MS);
  expect(kept.get("a", () => null)).toBeNull();
  expect(kept.get("a", () => ({ bytes: Uint8Array.of(1), etag: "tag" }))).toEqual({
    bytes: Uint8Array.of(1),
    etag: "tag",
  });
});
