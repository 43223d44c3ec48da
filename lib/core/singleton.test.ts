import { expect, test } from "vitest";
import { peekSingleton, resetSingleton, singleton } from "./singleton.ts";

test("a singleton is created once, until it is reset", () => {
  expect(peekSingleton("test")).toBeUndefined();
  const first = singleton("test", () => ({}));
  expect(singleton("test", () => ({}))).toBe(first);
  expect(peekSingleton("test")).toBe(first);
  resetSingleton("test");
  expect(singleton("test", () => ({}))).not.toBe(first);
});
