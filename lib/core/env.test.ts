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
