import { afterEach, expect, test } from "vitest";
import { overrideEnv } from "#tests/support/override-env.ts";
import { isAppError } from "#lib/core/errors.ts";
import { assertSameOrigin, isSameOrigin } from "./csrf.ts";

afterEach(() => overrideEnv({ SITE_URL: undefined }));
const of = (headers: Record<string, string>) => isSameOrigin({ headers: new Headers(headers) });

test("requests of this site's pages are same-origin", () => {
  expect(of({ host: "lectern.example", "sec-fetch-site": "same-origin" })).toBe(true);
  expect(of({ host: "lectern.example", origin: "https://lectern.example" })).toBe(true);
  overrideEnv({ SITE_URL: "https://lectern.example" });
  // Behind a proxy that changes the Host header.
  expect(of({ host: "10.0.0.7:3000", origin: "https://lectern.example" })).toBe(true);
});

test.each([
  [{ host: "lectern.example" }],
  [{ host: "lectern.example", origin: "null" }],
  [{ host: "lectern.example", origin: "" }],
  [{ host: "lectern.example", origin: "https://evil.test" }],
  [{ host: "lectern.example", origin: "https://lectern.example.evil.test" }],
  [{ host: "lectern.example", origin: "https://evil.test/lectern.example" }],
  [{ host: "lectern.example", origin: "https://lectern.example:8443" }],
  [{ host: "lectern.example", origin: "https://lectern.example", "sec-fetch-site": "cross-site" }],
  [{ host: "lectern.example", origin: "https://lectern.example", "sec-fetch-site": "same-site" }],
  [{ host: "lectern.example", origin: "https://evil.test", "sec-fetch-site": "none" }],
  [{ host: "lectern.example", "sec-fetch-site": "none" }],
  [{ host: "lectern.example", origin: "https://evil.test", "x-forwarded-host": "evil.test" }],
  [{ host: "lectern.example", referer: "https://lectern.example/" }],
])("%j is not", (headers) => {
  expect(of(headers as Record<string, string>)).toBe(false);
  try {
    assertSameOrigin({ headers: new Headers(headers as Record<string, string>) });
    expect.unreachable();
  } catch (error) {
    expect(isAppError(error, "forbidden")).toBe(true);
  }
});
