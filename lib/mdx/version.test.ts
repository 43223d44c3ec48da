import { expect, test } from "vitest";
import { compilerVersion } from "./version.ts";

test("the compiler has a name that is the same at every call", () => {
  expect(compilerVersion()).toMatch(/^[0-9a-f]{12}$/);
  expect(compilerVersion()).toBe(compilerVersion());
});
