import { expect, test } from "vitest";
import { z } from "zod";
import { HOUR_MS, MINUTE_MS, nowMs, setClock } from "#lib/core/clock.ts";
import type { Member } from "#lib/core/member.ts";
import { defineCache } from "./define-cache.ts";
import {
  MAX_ENTRIES_SHOWN,
  measureCache,
  deleteInspectedEntry,
  inspectEntry,
  outlineJson,
  searchCache,
  redactSecrets,
} from "./inspect-cache.ts";

const admin: Member = {
  id: "1",
  firstName: "Root",
  team: "RED",
  role: "ADMIN",
  sessionKey: "s",
  loggedInAtMs: 0,
};
const member: Member = { ...admin, role: "MEMBER" };
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

test("a member sees and deletes nothing of the cache", async () => {
  await things.get("a");
  for (const attempt of [
    () => measureCache(member),
    () => searchCache(member, ""),
    () => inspectEntry(member, "things:1:a"),
    () => deleteInspectedEntry(member, "things:1:a"),
  ]) {
    expect(attempt).toThrow(expect.objectContaining({ code: "forbidden" }));
  }
  expect(things.peek("a")).toEqual({ name: "made for a" });
});

test("entries are found by a part of the key, with size, age and how long they last", async () => {
  const start = nowMs();
  setClock(start);
  await things.get("a%b");
  await things.get("other");
  setClock(start + 10 * MINUTE_MS);
  const { entries, more } = searchCache(admin, "%");
  expect([entries.map(({ key }) => key), more]).toEqual([["things:1:a%b"], false]);
  const entry = inspectEntry(admin, "things:1:a%b");
  expect(entry).toMatchObject({
    key: "things:1:a%b",
    outline: ["object of 1", "  name: “made for a%b” (12 characters)"],
  });
  expect(entry!.bytes).toBe(entries[0]!.bytes);
  expect(Math.abs(entry!.ageMs - 10 * MINUTE_MS)).toBeLessThan(MINUTE_MS);
  expect(entry!.remainingStaleMs! - entry!.remainingTtlMs!).toBe(MINUTE_MS);
  expect(measureCache(admin)).toEqual({ entries: 2, bytes: expect.any(Number) as number });
  expect(inspectEntry(admin, "things:1:nothing")).toBeNull();
});

test("more than a hundred entries are not shown at once", async () => {
  for (let i = 0; i <= MAX_ENTRIES_SHOWN; i++) things.set(`many-${i}`, { name: "x" });
  const { entries, more } = searchCache(admin, "many-");
  expect([entries.length, more]).toEqual([MAX_ENTRIES_SHOWN, true]);
});

test("a deleted entry is gone from memory and file, once", async () => {
  await things.get("a");
  deleteInspectedEntry(admin, "things:1:a");
  expect(things.peek("a")).toBeNull();
  expect(() => deleteInspectedEntry(admin, "things:1:a")).toThrow(
    expect.objectContaining({ code: "not_found" }),
  );
});

test("the outline of a value holds no address, no token and no long text", () => {
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
  expect(outlineJson("{")).toEqual(["Not readable: it is made again when somebody asks."]);
  const large = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`field${i}`, i]));
  expect(outlineJson(JSON.stringify(large))).toHaveLength(201);
  const deep = JSON.parse(`${'{"a":'.repeat(50)}1${"}".repeat(50)}`) as unknown;
  expect(outlineJson(JSON.stringify(deep))).toHaveLength(7);
});

test("a key is shown without addresses", () => {
  expect(redactSecrets("login:1:ada@example.test")).toBe("login:1:(address)");
  expect(redactSecrets("embed:2:https://x.example/watch?v=1&key=2")).toBe(
    "embed:2:https://x.example/watch?…",
  );
});
