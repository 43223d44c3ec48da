// Generates invalid values for fuzzing. The seed makes them reproducible.

import { type Random, chance, pick, randomUuid } from "#tests/support/random.ts";

/** Strings known to break software. None is a valid id, email, positive number, code or choice. */
export const NAUGHTY_STRINGS: readonly string[] = [
  "",
  " ",
  "null",
  "undefined",
  "NaN",
  "-1",
  "0x10",
  "1e309",
  "-9223372036854775809",
  "9007199254740993.5",
  "true",
  "[]",
  "{}",
  "[object Object]",
  "' OR '1'='1",
  '\'; DROP TABLE "User"; --',
  '" OR 1=1 --',
  "1) UNION SELECT sql FROM sqlite_schema --",
  "%",
  "_%",
  "%' ESCAPE '\\",
  "a\\",
  "\u0000",
  "a\u0000b",
  "\u0001\u001f\u007f",
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "javascript:alert(1)",
  "{{7*7}}",
  "${7*7}",
  "<!--",
  "]]>",
  "&lt;",
  "</textarea><svg onload=alert(1)>",
  "../../../../etc/passwd",
  "..\\..\\windows",
  "file:///etc/passwd",
  "/proc/self/environ",
  "%2e%2e%2f",
  "%00",
  "%c0%ae",
  "%",
  "%zz",
  "a%0d%0aSet-Cookie: x=y",
  "a\r\nSet-Cookie: x=y",
  "a\r\n\r\n<html>",
  "__proto__",
  "constructor",
  "prototype",
  "hasOwnProperty",
  "toString",
  "valueOf",
  "then",
  "__defineGetter__",
  "$$typeof",
  "$@1",
  "$F1",
  "$K1",
  "$1:__proto__:constructor",
  "\u202e\u2066",
  "\ufeff",
  "\u2028",
  "Z̸̡̛̮͖a̶l̴g̵o̷".repeat(4),
  "𝕳𝖊𝖑𝖑𝖔",
  "👩‍👩‍👧‍👦",
  "ﷺ",
  "ı",
  "ß",
  "İ",
  "\ud800",
  "a\udfffb",
  "x".repeat(1_001),
  "x".repeat(70_000),
  "é".repeat(3_000),
  "[".repeat(2_000),
  '{"a":'.repeat(1_000),
  "1".repeat(400),
  "😀".repeat(5_000),
];

/** Invalid UTF-8. */
export const INVALID_UTF8: readonly Buffer[] = [
  Buffer.from([0xff, 0xfe]),
  Buffer.from([0xc0, 0xaf]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from([0xf8, 0x88, 0x80, 0x80, 0x80]),
  Buffer.from([0x00, 0x80, 0xc3]),
];

/** Generates a value that a field never accepts; undefined omits the field. */
export type InvalidValue = (random: Random) => string | Uint8Array | undefined;

const naughtyOr =
  (...more: InvalidValue[]): InvalidValue =>
  (random) =>
    chance(random, 0.55)
      ? pick(random, NAUGHTY_STRINGS)
      : chance(random, 0.2)
        ? pick(random, INVALID_UTF8)
        : pick(random, [...more, () => undefined])(random);

export const invalidValues = {
  id: naughtyOr(
    randomUuid,
    (random) => randomUuid(random).slice(1),
    (random) => `${randomUuid(random)}0`,
    (random) => `{${randomUuid(random)}}`,
  ),
  /** For sessions, passkeys and tokens. */
  token: naughtyOr(
    (random) => randomUuid(random).replaceAll("-", "").repeat(2),
    (random) => randomUuid(random),
    (random) => "A".repeat(Math.ceil(random() * 300)),
  ),
  number: ((random) => {
    const value = naughtyOr(
      () => "0",
      () => "-1",
      () => "1.5",
      () => "999999999999",
      () => "٣",
      () => " 1 1 ",
    )(random);
    // JavaScript parses "0x10" as 16, which may be a row's id.
    return typeof value === "string" && Number(value) > 0 && Number(value) < 1e9 ? "-1" : value;
  }) satisfies InvalidValue,
  email: naughtyOr(
    () => "ada",
    () => "ada@",
    () => "@example.test",
    () => "a b@example.test",
    () => "ada@example.test\nbcc: b@example.test",
    () => "ada@example..test",
    () => `${"a".repeat(260)}@example.test`,
    () => "<ada@example.test>",
    () => "ada@example.test,b@example.test",
    () => "ada@-example.test",
  ),
  choice: naughtyOr(
    () => "RED;BLUE",
    () => "purple",
    () => "ADMIN,MEMBER",
    () => "red\u0000",
  ),
  code: naughtyOr(
    () => "00000",
    () => "0000000",
    () => "abcdef",
    () => "12345a",
    () => "١٢٣٤٥٦",
  ),
  /** For strings of `min` to `max` characters. */
  text:
    (min: number, max: number): InvalidValue =>
    (random) =>
      pick<InvalidValue>(random, [
        () => undefined,
        () => (min > 0 ? "" : "x".repeat(max + 1)),
        () => (min > 1 ? "x".repeat(min - 1) : "a\u0000b"),
        () => (min > 0 ? " \t ".repeat(50) : "\u0000"),
        () => "x".repeat(max + 1),
        () => "é".repeat(max + 1),
        () => "😀".repeat(max + 1),
        () => "x".repeat(max * 20 + 1_001),
        () => `${"word ".repeat(Math.ceil(min / 5))}\u0000`,
        () => `${"word ".repeat(Math.ceil(min / 5))}\u202e\u2066`,
        () => `<script>alert(1)</script>${"x".repeat(max)}`,
      ])(random),
} as const;

/** Returns a JSON value of any type, up to `depth` levels deep. */
export function randomJson(random: Random, depth = 3): unknown {
  const kind = Math.floor(random() * (depth > 0 ? 9 : 6));
  switch (kind) {
    case 0:
      return pick(random, NAUGHTY_STRINGS);
    case 1:
      return pick(random, [0, -1, 1.5, 1e308, -0, 2 ** 53, 1e-320, 999_999_999_999]);
    case 2:
      return pick(random, [true, false, null]);
    case 3:
      return randomUuid(random);
    case 4:
      return [];
    case 5:
      return {};
    case 6:
      return Array.from({ length: Math.floor(random() * 6) }, () => randomJson(random, depth - 1));
    case 7:
      return Object.fromEntries(
        Array.from({ length: Math.floor(random() * 5) }, () => [
          pick(random, NAUGHTY_STRINGS).slice(0, 60),
          randomJson(random, depth - 1),
        ]),
      );
    default:
      return JSON.parse(
        `{"__proto__":${JSON.stringify(randomJson(random, depth - 1))},"constructor":{"prototype":{"isAdmin":true}}}`,
      );
  }
}

/** Invalid headers, and headers that only a proxy may set. None may grant access. */
export const HOSTILE_HEADERS: readonly Record<string, string>[] = [
  { "x-forwarded-host": "evil.example" },
  { "x-forwarded-for": "127.0.0.1, 10.0.0.1" },
  { "x-forwarded-proto": "gopher" },
  { forwarded: "for=127.0.0.1;host=evil.example" },
  { "x-original-url": "/admin" },
  { "x-rewrite-url": "/admin" },
  { "x-http-method-override": "DELETE" },
  { "x-middleware-subrequest": "middleware:middleware:middleware:middleware:middleware" },
  { "x-middleware-rewrite": "/admin" },
  { "x-middleware-next": "1" },
  { "x-middleware-override-headers": "cookie", "x-middleware-request-cookie": "session=x" },
  { "x-middleware-set-cookie": "__Host-session=x" },
  { "x-invoke-path": "/admin", "x-invoke-status": "200" },
  { "x-matched-path": "/admin" },
  { "x-nextjs-data": "1" },
  { "x-prerender-revalidate": "x" },
  { "x-now-route-matches": "1=admin" },
  { rsc: "1" },
  { rsc: "1", "next-router-prefetch": "1" },
  { rsc: "1", "next-router-prefetch": "1", "next-router-segment-prefetch": "/_tree" },
  { rsc: "1", "next-router-state-tree": "%5B%22%22%5D" },
  { rsc: "1", "next-router-state-tree": "[[[" },
  { "next-url": "/admin" },
  { "next-resume": "1" },
  { "fly-replay-src": "instance=x;region=iad;t=1;state=x" },
  { "fly-replay": "instance=evil" },
  { "fly-force-instance-id": "x" },
  { "fly-region": '"><script>' },
  { "fly-forwarded-port": "1" },
  { via: "x", "x-real-ip": "127.0.0.1" },
  { "accept-encoding": "br;q=nan, *;q=-1" },
  { "accept-language": "../../etc" },
  { accept: "application/json" },
  { accept: "text/markdown" },
  { range: "bytes=0-0,1-1,2-2" },
  { range: "bytes=-99999999999999999999" },
  { range: "bytes=9-0" },
  { "if-none-match": "*" },
  { "if-modified-since": "not a date" },
  { expect: "something" },
  { te: "trailers" },
  { "content-encoding": "gzip" },
  { cookie: "__Host-session=; __Host-reader=; a=b" },
];
