import { expect, test } from "vitest";
import { OPEN_REDIRECT_PAYLOADS } from "#tests/support/open-redirect-payloads.ts";
import { sanitizeRedirectPath } from "./sanitize-redirect-path.ts";

test("a path of this site passes", () => {
  for (const path of ["/", "/me", "/calls/record", "/blog?q=a%20b&tag=x", "/blog/caf%C3%A9"])
    expect(sanitizeRedirectPath(path)).toBe(path);
  expect(sanitizeRedirectPath("/a/../me#top", "/x")).toBe("/me");
});

test("open redirects are refused", () => {
  for (const value of OPEN_REDIRECT_PAYLOADS)
    expect([value, sanitizeRedirectPath(value, "/me")]).toEqual([value, "/me"]);
});
