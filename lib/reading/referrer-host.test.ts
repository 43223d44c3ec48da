import { expect, test } from "vitest";
import { parseReferrerHost } from "./referrer-host.ts";

const OWN = ["blog.example", "localhost:3000", null];
const parse = (referrer: string | undefined) => parseReferrerHost(referrer, OWN);

test("a host is stored in lowercase, without www and port", () => {
  expect(
    ["news.ycombinator.com", "WWW.Google.COM", "t.co:443", "xn--bcher-kva.example"].map(parse),
  ).toEqual(["news.ycombinator.com", "google.com", "t.co", "xn--bcher-kva.example"]);
  expect(parse("com.google.android.gm")).toBe("com.google.android.gm");
});

test("this site and no referrer are direct", () => {
  expect(
    [undefined, "", "blog.example", "www.blog.example:443", "BLOG.example", "localhost:3000"].map(
      parse,
    ),
  ).toEqual(Array(6).fill(""));
});

test.each([
  "203.0.113.9",
  "203.0.113.9:8080",
  "[2001:db8::1]",
  "2130706433",
  "0x7f.0.0.1",
  "router",
  "adas-laptop.local",
  "wiki.corp.internal",
  "nas.fritz.lan",
  "printer.home.arpa",
  "a..b",
  ".com",
  "example.com.",
  "ada@example.com",
  "example.com/private?token=1",
  "<script>alert(1)</script>.com",
  "=cmd|' /C calc'!A0.com",
  "exa mple.com",
  "example.com\r\nset-cookie: a=b",
  "example.com\0",
  "bücher.example",
  "еxample.com", // Cyrillic
  `${"a".repeat(64)}.com`,
  `${"a.".repeat(60)}com`,
  "__proto__",
  "-a.com",
  "x".repeat(100_000),
])("%j is not stored by name", (referrer) => {
  expect(parse(referrer)).toBe("other");
});
