import type { BlockList } from "node:net";
import { expect, test } from "vitest";
import { parseEnv } from "./env.ts";

const SECRET = "of-the-site-before";
const parse = (variables: Record<string, string>) =>
  parseEnv({ SESSION_SECRET: "a".repeat(32), ...variables });

test("legacy cookies accept a list of secrets, and names with a field", () => {
  const env = parse({
    LEGACY_COOKIE_SECRET: ` ${SECRET},  older-secret\tvery-old-secret `,
    LEGACY_SESSION_COOKIE: "__old_session:__session_id__",
    LEGACY_CLIENT_COOKIE: "my-client",
  });
  expect(env.LEGACY_COOKIE_SECRET).toEqual([SECRET, "older-secret", "very-old-secret"]);
  expect(env.LEGACY_SESSION_COOKIE).toEqual({ name: "__old_session", field: "__session_id__" });
  expect(env.LEGACY_CLIENT_COOKIE).toEqual({ name: "my-client", field: "clientId" });
  expect(
    parse({ LEGACY_COOKIE_SECRET: SECRET, LEGACY_SESSION_COOKIE: "s" }).LEGACY_SESSION_COOKIE,
  ).toEqual({
    name: "s",
    field: "sessionId",
  });
  expect([parse({}).LEGACY_COOKIE_SECRET, parse({}).LEGACY_SESSION_COOKIE]).toEqual([
    undefined,
    undefined,
  ]);
});

test("problems with legacy cookies are reported without secrets", () => {
  const wrong: [Record<string, string>, RegExp][] = [
    [
      { LEGACY_COOKIE_SECRET: SECRET },
      /LEGACY_SESSION_COOKIE: required because LEGACY_COOKIE_SECRET is set/,
    ],
    [
      { LEGACY_SESSION_COOKIE: "x" },
      /LEGACY_COOKIE_SECRET: required because LEGACY_SESSION_COOKIE is set/,
    ],
    [
      { LEGACY_CLIENT_COOKIE: "x" },
      /LEGACY_COOKIE_SECRET: required because LEGACY_CLIENT_COOKIE is set/,
    ],
    [
      { LEGACY_COOKIE_SECRET: "short12", LEGACY_SESSION_COOKIE: "x" },
      /LEGACY_COOKIE_SECRET: needs at least 8 characters/,
    ],
    [
      { LEGACY_COOKIE_SECRET: `${SECRET}, short12`, LEGACY_SESSION_COOKIE: "x" },
      /LEGACY_COOKIE_SECRET: needs at least 8 characters/,
    ],
    [
      { LEGACY_COOKIE_SECRET: " , ", LEGACY_SESSION_COOKIE: "x" },
      /LEGACY_COOKIE_SECRET: needs at least 8 characters/,
    ],
    [
      { LEGACY_COOKIE_SECRET: SECRET, LEGACY_SESSION_COOKIE: "two words" },
      /LEGACY_SESSION_COOKIE: must be a cookie name, such as my_cookie or my_cookie:sessionId/,
    ],
    [
      { LEGACY_COOKIE_SECRET: SECRET, LEGACY_SESSION_COOKIE: "x:" },
      /LEGACY_SESSION_COOKIE: must be/,
    ],
    [
      { LEGACY_COOKIE_SECRET: SECRET, LEGACY_SESSION_COOKIE: "x:y:z" },
      /LEGACY_SESSION_COOKIE: must be/,
    ],
    [
      { LEGACY_COOKIE_SECRET: SECRET, LEGACY_SESSION_COOKIE: "session" },
      /LEGACY_SESSION_COOKIE: session is already a cookie of this site/,
    ],
    [
      {
        LEGACY_COOKIE_SECRET: SECRET,
        LEGACY_CLIENT_COOKIE: "__Host-reader",
        SITE_URL: "https://lectern.example",
      },
      /LEGACY_CLIENT_COOKIE: __Host-reader is already a cookie/,
    ],
  ];
  for (const [variables, message] of wrong) {
    expect(() => parse(variables)).toThrow(message);
    expect(() => parse(variables)).not.toThrow(/of-the-site-before|short12/);
  }
  // Over HTTPS, this site's cookies have a prefix.
  expect(
    parse({
      LEGACY_COOKIE_SECRET: SECRET,
      LEGACY_SESSION_COOKIE: "session",
      SITE_URL: "https://lectern.example",
    }).LEGACY_SESSION_COOKIE?.name,
  ).toBe("session");
});

test("SITE_URL is normalized to its origin, or refused", () => {
  const siteUrl = (SITE_URL: string) => parse({ SITE_URL }).SITE_URL;
  expect(siteUrl("HTTPS://Lectern.Example")).toBe("https://lectern.example");
  expect(siteUrl("https://lectern.example:443/")).toBe("https://lectern.example");
  expect(siteUrl("http://[::1]:3000")).toBe("http://[::1]:3000");
  for (const wrong of [
    "https://user:password@lectern.example",
    "https://user@lectern.example",
    "https://lectern.example/sub",
    "https://lectern.example/?x=1",
    "https://lectern.example/#x",
    "https:lectern.example/a",
    "ftp://lectern.example",
    "lectern.example",
  ])
    expect(() => siteUrl(wrong), wrong).toThrow(/SITE_URL: must be/);
  // No password in the message.
  expect(() => siteUrl("https://user:password@lectern.example")).not.toThrow(/password/);
});

test("without SITE_URL, the site is this machine's port", () => {
  expect(parse({ PORT: "4000" })).toMatchObject({
    SITE_URL: "http://localhost:4000",
    IS_SITE_URL_DEFAULT: true,
  });
  expect(parse({ SITE_URL: "http://localhost:4000" }).IS_SITE_URL_DEFAULT).toBe(false);
});

test("TRUST_PROXY accepts none, fly, a number of proxies, and networks", () => {
  const trust = (TRUST_PROXY: string) => parse({ TRUST_PROXY }).TRUST_PROXY;
  expect([parse({}).TRUST_PROXY, trust("fly"), trust("1")]).toEqual(["none", "fly", 1]);
  const networks = trust("127.0.0.1, 10.0.0.0/8,fd00::/8") as BlockList;
  expect(
    ["127.0.0.1", "127.0.0.2", "10.255.0.1", "11.0.0.1"].map((each) => networks.check(each)),
  ).toEqual([true, false, true, false]);
  expect(["fd12::1", "fe80::1"].map((each) => networks.check(each, "ipv6"))).toEqual([true, false]);
  for (const wrong of [
    "yes",
    "0",
    "11",
    "-1",
    "10.0.0.0/33",
    "0.0.0.0/0",
    "::/0",
    "10.0.0.0/",
    "10.0.0",
    "10.0.0.1,",
    "fly,10.0.0.1",
    "10.0.0.0/8 11.0.0.0/8",
  ])
    expect(() => trust(wrong), wrong).toThrow(/TRUST_PROXY: must be none, fly, a number/);
});
