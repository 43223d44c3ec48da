import { globSync } from "node:fs";
import { expect, test } from "vitest";
import { ALL_ROUTES, labelRoute } from "#lib/http/route-labels.ts";

/**
 * Lists the routes of app/, without those of development and of the router. `**` skips folders that
 * start with a dot.
 */
function routesOfApp(): string[] {
  return globSync(["app/**/{page.tsx,route.ts}", "app/.well-known/**/route.ts"])
    .map(
      (file) =>
        `/${file
          .split("/")
          .slice(1, -1)
          .filter((part) => !part.startsWith("("))
          .map(decodeURIComponent) // %5Fimg: a name that starts with _ would be private
          .join("/")}`,
    )
    .filter((route) => !/^\/(dev|static|\[\.\.\.missing\])(\/|$)/.test(route))
    .sort();
}

test("the table has exactly the routes of app/", () => {
  expect([...ALL_ROUTES].sort(), "Keep the table in lib/http/route-labels.ts.").toEqual([
    ...new Set(routesOfApp()),
  ]);
});

test("a URL has its kind, with or without a query", () => {
  const kinds = {
    "/": "home",
    "/?utm=1": "home",
    "/blog?q=a": "list",
    "/blog/one-door-for-writes": "post",
    "/blog/one-door-for-writes.md": "post",
    "/calls/a-call": "episode",
    "/calls/upload/1/2": "upload",
    "/me": "member",
    "/admin/users/x": "admin",
    "/_next/static/a.js": "static",
    "/podcast/intro.mp3": "static",
    "/icon.svg": "picture",
    "/content-file/blog/a/b.png": "picture",
    "/post-code/0123456789abcdef0123456789abcdef.js": "post-code",
    "/healthz": "health",
    "/nothing": "other",
    "/wp-login.php": "other",
  };
  expect(Object.fromEntries(Object.keys(kinds).map((url) => [url, labelRoute(url).kind]))).toEqual(
    kinds,
  );
});

test("the log shows slugs, but no IDs, queries or typed text", () => {
  const said = {
    "/blog/one-door-for-writes?q=secret#x": "/blog/one-door-for-writes",
    "/blog/%E6%95%B0%E6%8D%AE%E5%BA%93": "/blog/数据库",
    "/blog/CamelCase/markdown": "/blog/CamelCase/markdown",
    "/blog/v1.0_b.md": "/blog/v1.0_b.md",
    "/blog/2026%2Fcaf%C3%A9": "/blog/2026/café",
    "/blog/%": "/blog/[slug]",
    "/blog/line%0Abreak": "/blog/[slug]",
    "/blog/$&": "/blog/[slug]",
    "/calls/recording/0b0e5a3c-8f8e-4b0e-9a44-1a2b3c4d5e6f": "/calls/recording/[id]",
    "/admin/users/clx1234?x": "/admin/users/[id]",
    "/calls/audio/a-call/call": "/calls/audio/a-call/[file]",
    "/blog/Ada%40example.com": "/blog/[slug]",
    "/login/confirm?token=abc": "/login/confirm",
    "/ada@example.com/token/abc": "/other",
    [`/blog/${"a".repeat(5_000)}`]: "/blog/[slug]",
    "/blog/a/b/c": "/other",
  };
  expect(Object.fromEntries(Object.keys(said).map((url) => [url, labelRoute(url).path]))).toEqual(
    said,
  );
});

test("a URL of 16,000 characters is labeled quickly", () => {
  const began = performance.now();
  for (let i = 0; i < 100; i++) labelRoute(`/blog/${"a-".repeat(8_000)}`);
  expect(performance.now() - began).toBeLessThan(10_000);
});
