import { expect, test } from "vitest";
import { createUuidV7 } from "./uuid-v7.ts";

test("an ID is a UUID version 7: time, then random bits", () => {
  const atMs = Date.parse("2026-11-28T10:00:00.123Z");
  const ids = Array.from({ length: 1_000 }, () => createUuidV7(atMs));
  for (const id of ids)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  for (const id of ids) expect(Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16)).toBe(atMs);
  expect(new Set(ids).size).toBe(ids.length);
  expect(createUuidV7(atMs + 1) > ids.toSorted().at(-1)!).toBe(true);
});
