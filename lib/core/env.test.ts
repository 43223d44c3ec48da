import { expect, test } from "vitest";
import { parseEnv } from "./env.ts";

const SECRET = "of-the-site-before";
const parse = (variables: Record<string, string>) =>
  parseEnv({ SESSION_SECRET: "a".repeat(32), ...variables });

test("the site before's cookies are a list of secrets and names with a field", () => {
  const env = parse({
    OLD_COOKIE_SECRET: ` ${SECRET},  older-secret\tvery-old-secret `,
    OLD_SESSION_COOKIE: "__old_session:__session_id__",
    OLD_CLIENT_COOKIE: "my-client",
  });
  expect(env.OLD_COOKIE_SECRET).toEqual([SECRET, "older-secret", "very-old-secret"]);
  expect(env.OLD_SESSION_COOKIE).toEqual({ name: "__old_session", field: "__session_id__" });
  expect(env.OLD_CLIENT_COOKIE).toEqual({ name: "my-client", field: "clientId" });
  expect(parse({ OLD_COOKIE_SECRET: SECRET, OLD_SESSION_COOKIE: "s" }).OLD_SESSION_COOKIE).toEqual({
    name: "s",
    field: "sessionId",
  });
  expect([parse({}).OLD_COOKIE_SECRET, parse({}).OLD_SESSION_COOKIE]).toEqual([
    undefined,
    undefined,
  ]);
});

test("what is missing or wrong about the site before's cookies is named, and no secret is", () => {
  const wrong: [Record<string, string>, RegExp][] = [
    [{ OLD_COOKIE_SECRET: SECRET }, /OLD_SESSION_COOKIE: needed because OLD_COOKIE_SECRET is set/],
    [{ OLD_SESSION_COOKIE: "x" }, /OLD_COOKIE_SECRET: needed because OLD_SESSION_COOKIE is set/],
    [{ OLD_CLIENT_COOKIE: "x" }, /OLD_COOKIE_SECRET: needed because OLD_CLIENT_COOKIE is set/],
    [
      { OLD_COOKIE_SECRET: "short12", OLD_SESSION_COOKIE: "x" },
      /OLD_COOKIE_SECRET: needs at least 8 characters/,
    ],
    [
      { OLD_COOKIE_SECRET: `${SECRET}, short12`, OLD_SESSION_COOKIE: "x" },
      /OLD_COOKIE_SECRET: needs at least 8 characters/,
    ],
    [
      { OLD_COOKIE_SECRET: " , ", OLD_SESSION_COOKIE: "x" },
      /OLD_COOKIE_SECRET: needs at least 8 characters/,
    ],
    [
      { OLD_COOKIE_SECRET: SECRET, OLD_SESSION_COOKIE: "two words" },
      /OLD_SESSION_COOKIE: must be the name of a cookie, such as my_cookie or my_cookie:sessionId/,
    ],
    [{ OLD_COOKIE_SECRET: SECRET, OLD_SESSION_COOKIE: "x:" }, /OLD_SESSION_COOKIE: must be/],
    [{ OLD_COOKIE_SECRET: SECRET, OLD_SESSION_COOKIE: "x:y:z" }, /OLD_SESSION_COOKIE: must be/],
    [
      { OLD_COOKIE_SECRET: SECRET, OLD_SESSION_COOKIE: "session" },
      /OLD_SESSION_COOKIE: session is the name of a cookie of this site/,
    ],
    [
      {
        OLD_COOKIE_SECRET: SECRET,
        OLD_CLIENT_COOKIE: "__Host-reader",
        SITE_URL: "https://lectern.example",
      },
      /OLD_CLIENT_COOKIE: __Host-reader is the name/,
    ],
  ];
  for (const [variables, message] of wrong) {
    expect(() => parse(variables)).toThrow(message);
    expect(() => parse(variables)).not.toThrow(/of-the-site-before|short12/);
  }
  // Over https ours have a prefix.
  expect(
    parse({
      OLD_COOKIE_SECRET: SECRET,
      OLD_SESSION_COOKIE: "session",
      SITE_URL: "https://lectern.example",
    }).OLD_SESSION_COOKIE?.name,
  ).toBe("session");
});
