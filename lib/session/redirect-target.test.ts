import { expect, test } from "vitest";
import { EVIL_TARGETS } from "#tests/evil-targets.ts";
import { redirectTarget } from "./redirect-target.ts";

test("a path of this site is kept", () => {
  for (const path of ["/", "/me", "/calls/record", "/blog?q=a%20b&tag=x", "/blog/caf%C3%A9"])
    expect(redirectTarget(path)).toBe(path);
  expect(redirectTarget("/a/../me#top", "/x")).toBe("/me");
});

test("nothing leads away from the site", () => {
  for (const value of EVIL_TARGETS)
    expect([value, redirectTarget(value, "/me")]).toEqual([value, "/me"]);
});
