import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { LOGO_PATH } from "./logo.ts";

test("the icon shows the same logo as the pages", () => {
  expect(readFileSync("public/icon.svg", "utf8")).toContain(`d="${LOGO_PATH}"`);
});
