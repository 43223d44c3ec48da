import { createRequire } from "node:module";
import { expect, test } from "vitest";
import { isRouterState } from "./router-state.ts";

// Loaded as Next's server does, because the module has no types.
const { parseAndValidateFlightRouterState } = createRequire(import.meta.url)(
  "next/dist/server/app-render/parse-and-validate-flight-router-state.js",
) as { parseAndValidateFlightRouterState: (header: string) => unknown };

function isAcceptedByNext(header: string): boolean {
  try {
    parseAndValidateFlightRouterState(header);
    return true;
  } catch {
    return false;
  }
}

const page = ["__PAGE__", {}];
const root = (children: unknown, ...rest: unknown[]) => ["", { children }, ...rest];
const dynamic = (...segment: unknown[]) => root(["blog", { children: [segment, {}] }]);

const VALID = [
  page,
  root(page),
  root(page, null, null, 16),
  root(page, ["/blog", "?q=x"], "refetch", 0, "x"),
  root(page, null, "inside-shared-layout"),
  root(page, null, "metadata-only", null),
  ...["c", "oc", "d", "ci(.)", "di(..)(..)"].map((type) => dynamic("slug", "x", type, null)),
  dynamic("slug", "x", "d", ["feed", "list"]),
  ["", { children: page, modal: page }],
];
const INVALID = [
  "x",
  null,
  1,
  {},
  [],
  [""],
  ["", []],
  ["", null],
  ["", { children: "x" }],
  [1, {}],
  root(page, "refetch"),
  root(page, ["/blog"]),
  root(page, null, "reload"),
  root(page, null, null, "1"),
  root(page, null, null, 1, null),
  root(page, null, null, 1, "x", "y"),
  dynamic("slug", "x", "d"),
  dynamic("slug", "x", "q", null),
  dynamic("slug", "x", "d", "feed"),
];

const encode = (states: unknown[]) =>
  states.map((state) => encodeURIComponent(JSON.stringify(state)));

test("what Next's client sends is accepted, by Next too", () => {
  const headers = [...encode(VALID), JSON.stringify(page)];
  expect(headers.filter((header) => !isRouterState(header))).toEqual([]);
  expect(headers.filter((header) => !isAcceptedByNext(header))).toEqual([]);
});

test("what Next can't parse is refused", () => {
  const headers = [...encode(INVALID), "", "x", "%", "%E0%A4%A", "[", '["",{"__proto__":1}]'];
  expect(headers.filter(isRouterState)).toEqual([]);
  expect(headers.filter(isAcceptedByNext)).toEqual(encode([["", []]])); // a list as a record
});

test("the deepest router state that fits into a header is decided quickly", () => {
  const depth = 300;
  const deep = `${'["",{"a":'.repeat(depth)}["",{}]${"}]".repeat(depth)}`;
  expect(deep.length).toBeGreaterThan(3_000);
  expect(isRouterState(deep)).toBe(true);
  expect(isRouterState("[".repeat(4_096))).toBe(false);
});
