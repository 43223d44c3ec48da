import { expect, test } from "vitest";
import { z } from "zod";
import { HOUR_MS, MINUTE_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { measureEntries } from "./cache-file.ts";
import { defineCache } from "./define-cache.ts";
import {
  MAX_ENTRIES_SHOWN,
  deleteInspectedEntry,
  inspectEntry,
  outlineJson,
  searchCache,
  redactSecrets,
} from "./inspect-cache.ts";

const things = defineCache<string, { name: string }>({
  name: "things",
  version: 1,
  keyOf: (key) => key,
  schema: z.object({ name: z.string() }),
  ttlMs: HOUR_MS,
  swrMs: MINUTE_MS,
  timeoutMs: 1_000,
  produce: (key) => ({ name: `made for ${key}` }),
});

test("entries are found by part of the key, with size, age and expiry", async () => {
  const start = nowMs();
  setClock(start);
  await things.get("a%b");
  await things.get("other");
  setClock(start + 10 * MINUTE_MS);
  const { entries, hasMore } = searchCache("%");
  expect([entries.map(({ key }) => key), hasMore]).toEqual([["things:1:a%b"], false]);
  const entry = inspectEntry("things:1:a%b");
  expect(entry).toMatchObject({
    key: "things:1:a%b",
    outline: ["object of 1", "  name: “made for a%b” (12 characters)"],
  });
  expect(entry!.bytes).toBe(entries[0]!.bytes);
  expect(Math.abs(entry!.ageMs - 10 * MINUTE_MS)).toBeLessThan(MINUTE_MS);
  expect(entry!.remainingStaleMs! - entry!.remainingTtlMs!).toBe(MINUTE_MS);
  expect(measureEntries()).toEqual({ entries: 2, bytes: expect.any(Number) as number });
  expect(inspectEntry("things:1:nothing")).toBeNull();
});

test("a search returns at most MAX_ENTRIES_SHOWN entries", async () => {
  for (let i = 0; i <= MAX_ENTRIES_SHOWN; i++) things.set(`many-${i}`, { name: "x" });
  const { entries, hasMore } = searchCache("many-");
  expect([entries.length, hasMore]).toEqual([MAX_ENTRIES_SHOWN, true]);
});

test("an entry is deleted from memory and file, once", async () => {
  await things.get("a");
  deleteInspectedEntry("things:1:a");
  expect(things.peek("a")).toBeNull();
  expect(() => deleteInspectedEntry("things:1:a")).toThrow(
    expect.objectContaining({ code: "not_found" }),
  );
});

test("an outline has no email address, no token and no long text", () => {
  const value = {
    email: "ada@example.test",
    "grace@example.test": 1,
    link: "https://ada:pw@x.example/a?token=secret",
    token: "A1b2C3d4E5f6G7h8I9j0K1",
    late: `${" a".repeat(10)} Zx${"9".repeat(30)}`,
    text: "word ".repeat(100),
    list: [1, 2, 3, 4, 5, 6, 7],
    nothing: null,
    yes: true,
  };
  const outline = outlineJson(JSON.stringify(value));
  const text = outline.join("\n");
  expect(text).not.toMatch(/ada|grace|pw|secret|A1b2|999/);
  expect(text).toContain("token: text of 22 characters");
  expect(text).toContain("text: “word word word word word word wo…” (500 characters)");
  expect(text).toContain(
    "  list: list of 7\n    0: 1\n    1: 2\n    2: 3\n    3: 4\n    4: 5\n    … and 2 more",
  );
  expect(text).toContain("nothing: null\n  yes: true");
});

test("the outline of a large or broken value stays small", () => {
  expect(outlineJson("{")).toEqual(["Unreadable. The next request replaces it."]);
  const large = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`field${i}`, i]));
  expect(outlineJson(JSON.stringify(large))).toHaveLength(201);
  const deep = JSON.parse(`${'{"a":'.repeat(50)}1${"}".repeat(50)}`) as unknown;
  expect(outlineJson(JSON.stringify(deep))).toHaveLength(7);
});

test("a key is redacted", () => {
  expect(redactSecrets("login:1:ada@example.test")).toBe("login:1:(address)");
  expect(redactSecrets("embed:2:https://x.example/watch?v=1&key=2")).toBe(
    "embed:2:https://x.example/watch?…",
  );
});
