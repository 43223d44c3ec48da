import { expect, test } from "vitest";
import { sanitizeUrl } from "./sanitize-url.ts";

test("an ordinary URL passes", () => {
  for (const url of [
    "/",
    "/blog?q=write%20queue&topic=sqlite&topic=mdx&page=2",
    "/blog/ein-b%C3%BCcherpult",
    "/blog/x?_rsc=abc",
  ])
    expect(sanitizeUrl(url)).toBe(url);
});

test("a malformed path leads to the 404 page", () => {
  for (const url of ["/%", "/blog/%ff", "/embed-image/%c0%ae?x=1"])
    expect(sanitizeUrl(url)).toBe("/not-an-address");
});

test("a path with dot segments or a fragment leads to the 404 page, however they are written", () => {
  for (const url of [
    "/..",
    "/x/../admin",
    "/x/./admin",
    "/x/.",
    "/calls/upload/../mine",
    "/calls/upload/%2E%2e/mine",
    "/calls/upload/.%2e/mine?x=1",
    "/calls/upload/..\\mine",
    "/x/%2e",
    "/subscribe#",
    "/subscribe#?x=1",
  ])
    expect(sanitizeUrl(url), url).toBe("/not-an-address");
  for (const url of ["/.well-known/security.txt", "/blog/...", "/blog/a..b", "/blog?next=/../x"])
    expect(sanitizeUrl(url)).toBe(url);
});

test("the static pages of requests without cookies are not found at their own address", () => {
  for (const url of [
    "/static",
    "/static/home",
    "/static/home?x=1",
    "/static/blog/one-door-for-writes",
    "/static/home.rsc",
    "/STATIC/home",
    "/%73tatic/home",
    "/static%2Fhome",
    "//static/home",
    "/./static/home",
    "/blog/../static/home",
    "/blog/%2e%2e/static/home",
    "/\\static/home",
    "http://lectern.example/static/home",
  ])
    expect(sanitizeUrl(url), url).toBe("/not-an-address");
  for (const url of ["/_next/static/a.js", "/blog/static", "/statics"])
    expect(sanitizeUrl(url)).toBe(url);
});

test("Next's error page, which caches would keep for a year, is not found at its own address", () => {
  for (const url of ["/_global-error", "/_global-error.rsc", "/%5fglobal-error?x=1"])
    expect(sanitizeUrl(url), url).toBe("/not-an-address");
});

test("the data URLs of pages, whose paths pipeline steps would not recognize, are not found", () => {
  for (const url of [
    "/_next/data/b1/blog.json?q=a",
    "/_next/%64ata/b1/mcp.json",
    "//_next/data/b1/login.json",
    "/_next//data/b1/static/home.json",
  ])
    expect(sanitizeUrl(url), url).toBe("/not-an-address");
  expect(sanitizeUrl("/_next/static/data/a.js")).toBe("/_next/static/data/a.js");
});

test("an absolute URL becomes a path of this site", () => {
  expect(sanitizeUrl("http://lectern.example/blog?q=a")).toBe("/blog?q=a");
  expect(sanitizeUrl("https://evil.example//evil.example/x")).toBe("/evil.example/x");
  for (const url of ["*", "evil.example:443", "\\admin", ""])
    expect(sanitizeUrl(url)).toBe("/not-an-address");
});

test("a query is cut to a length and to a number of parameters", () => {
  expect(sanitizeUrl(`/blog?${"a&".repeat(7_000)}`).split("&")).toHaveLength(50);
  expect(sanitizeUrl(`/blog?q=${"x".repeat(100_000)}`).length).toBeLessThan(2_100);
  expect(() => decodeURIComponent(sanitizeUrl(`/blog?q=${"%41".repeat(1_000)}`))).not.toThrow();
});
