import { expect, test } from "vitest";
import { redirectTarget } from "./redirect-target.ts";

test("a path of this site is kept", () => {
  for (const path of ["/", "/me", "/calls/record", "/blog?q=a%20b&tag=x", "/blog/caf%C3%A9"]) expect(redirectTarget(path)).toBe(path);
  expect(redirectTarget("/a/../me#top", "/x")).toBe("/me");
});

test("nothing leads away from the site", () => {
  const evil = [
    "//evil.example", "///evil.example", "/\\evil.example", "\\evil.example", "/%5Cevil.example", "/%5cevil.example", "https://evil.example", "javascript:alert(1)", "evil.example",
    "/\t/evil.example", "/\n/evil.example", "/%09/evil.example", "/%0d%0aLocation:x", "/x\r\nSet-Cookie: a=b", "/.//evil.example", "/..//evil.example", "", " /me", "/é", null, undefined, 7, ["/me"], `/${"a".repeat(2_000)}`,
  ];
  for (const value of evil) expect([value, redirectTarget(value, "/me")]).toEqual([value, "/me"]);
});
