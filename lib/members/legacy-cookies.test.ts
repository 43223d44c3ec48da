import { aliasLegacyCookies } from "#lib/http/alias-legacy-cookies.ts";
import { afterEach, expect, test } from "vitest";
import { overrideEnv } from "#tests/support/override-env.ts";
import { createLegacyCookie, createLegacyExpressCookie } from "#tests/support/legacy-cookie.ts";
import { env } from "#lib/core/env.ts";
import { signText } from "#lib/core/signature.ts";
import { signReaderId } from "#lib/reading/reader-id.ts";
import {
  unsignLegacyCookie,
  readLegacyReaderId,
  readLegacySessionId,
} from "#lib/members/legacy-cookies.ts";
import { sealSessionCookie } from "#lib/members/cookies.ts";

// The secret that the packages used to sign the cookies below.
const SECRET = "a secret of the site before";
const ID = "7c1e4f0a-3b52-4a67-9d0e-5f8a2b6c9e11";
const open = (
  value: string | undefined,
  field = "sessionId",
  secrets: readonly string[] = [SECRET],
) => unsignLegacyCookie(value, { secrets, field });

afterEach(() =>
  overrideEnv({
    LEGACY_COOKIE_SECRET: undefined,
    LEGACY_SESSION_COOKIE: undefined,
    LEGACY_CLIENT_COOKIE: undefined,
    SITE_URL: undefined,
  }),
);

// Created by react-router 8.5.1 (createCookieSessionStorage, createCookie) and cookie-signature
// 1.2.2 with SECRET.
const REAL = {
  session:
    "eyJzZXNzaW9uSWQiOiI3YzFlNGYwYS0zYjUyLTRhNjctOWQwZS01ZjhhMmI2YzllMTEifQ%3D%3D.RFlKPrJRItp3xsS401hTUWLxAFGVI3MPVpTOGoRLuB0",
  withMore:
    "eyJuYW1lIjoiWm%2FDqyDwn46ZIMOcbmFsIiwic2Vzc2lvbklkIjoiN2MxZTRmMGEtM2I1Mi00YTY3LTlkMGUtNWY4YTJiNmM5ZTExIiwiX19mbGFzaF9tZXNzYWdlX18iOiJoaSJ9.1R2JPPd7huQp%2FsFmQXyJO3RkUWzzNRR9nd4c%2BPJ7eAY",
  client: "eyJjbGllbnRJZCI6ImNsaWVudC0xX1oifQ%3D%3D.kdV9l33zx0Llcw%2BhEKuMxb7jjThROGjJNxeTuS4rbSc",
  text: "ImNsaWVudC0xX1oi.H%2Fg7w29RRg38pGZaAES2d4OmYpg0VMipS9iORQKVs6I",
  unsigned: "eyJzZXNzaW9uSWQiOiI3YzFlNGYwYS0zYjUyLTRhNjctOWQwZS01ZjhhMmI2YzllMTEifQ%3D%3D",
  express:
    "s%3A7c1e4f0a-3b52-4a67-9d0e-5f8a2b6c9e11.P5tcv2aQN%2FyuH%2BAgynv2lKoYR5x4PB7pxWK0Q1lTNsI",
} as const;
const real = (name: keyof typeof REAL) => decodeURIComponent(REAL[name]);

test("reads cookies of Remix's session storage, Remix's createCookie and Express", () => {
  expect(open(real("session"))).toBe(ID);
  expect(open(real("withMore"))).toBe(ID);
  expect(open(real("client"), "clientId")).toBe("client-1_Z");
  expect(open(real("text"), "clientId")).toBe("client-1_Z");
  expect(open(real("express"))).toBe(ID);
});

test("the test helpers make the same cookies as the packages", () => {
  expect(createLegacyCookie({ sessionId: ID }, SECRET)).toBe(real("session"));
  expect(
    createLegacyCookie({ name: "Zoë 🎙 Ünal", sessionId: ID, __flash_message__: "hi" }, SECRET),
  ).toBe(real("withMore"));
  expect(createLegacyCookie("client-1_Z", SECRET)).toBe(real("text"));
  expect(createLegacyExpressCookie(ID, SECRET)).toBe(real("express"));
});

test("reads a cookie signed with an earlier secret while that is in the list", () => {
  const older = createLegacyCookie({ sessionId: ID }, "the secret before that");
  expect(open(older)).toBeNull();
  expect(open(older, "sessionId", [SECRET, "the secret before that"])).toBe(ID);
  expect(open(real("session"), "sessionId", ["the secret before that", SECRET])).toBe(ID);
  expect(open(real("session"), "sessionId", [])).toBeNull();
});

test("refuses a cookie with any bit changed", () => {
  for (const name of ["session", "express", "text"] as const) {
    const value = real(name);
    for (let at = 0; at < value.length; at += 1) {
      for (let bit = 0; bit < 8; bit += 1) {
        const flipped =
          value.slice(0, at) +
          String.fromCharCode(value.charCodeAt(at) ^ (1 << bit)) +
          value.slice(at + 1);
        expect(open(flipped), `${name} ${at}.${bit}`).toBeNull();
      }
    }
  }
});

test("refuses a cookie that is truncated, extended or differently encoded", () => {
  for (const name of ["session", "express", "text"] as const) {
    const value = real(name);
    for (let length = 0; length < value.length; length += 1)
      expect(open(value.slice(0, length)), `${name} ${length}`).toBeNull();
    const dot = value.lastIndexOf(".");
    for (const changed of [
      `${value}=`,
      `${value}A`,
      ` ${value}`,
      `${value} `,
      `.${value}`,
      `${value}.`,
      value.replace(".", ".."),
      value.replaceAll("+", "-").replaceAll("/", "_") + "\n",
      value.slice(0, dot + 1) + Buffer.from(value.slice(dot + 1), "base64").toString("hex"),
    ]) {
      expect(open(changed), changed).toBeNull();
    }
  }
});

test("refuses unsigned cookies and signatures for another purpose", async () => {
  const text = real("unsigned");
  const own = await sealSessionCookie({ id: ID, expiresAtMs: Date.now() });
  for (const value of [
    undefined,
    "",
    ".",
    "s:",
    "s:.",
    text,
    `${text}.`,
    `.${text}`,
    ID,
    `s:${ID}`,
    `s:${ID}.`,
    `${text}.${"A".repeat(43)}`,
    createLegacyCookie({ sessionId: ID }, ""),
    createLegacyExpressCookie(ID, ""),
    createLegacyCookie({ sessionId: ID }, "another secret"),
    `${text}.${signText("session", text)}`,
    signReaderId(ID),
    `s:${signReaderId(ID)}`,
    own.value,
  ]) {
    expect(open(value), value).toBeNull();
    // Also if the owner uses the same secret for both sites.
    expect(open(value, "sessionId", [env.SESSION_SECRET]), value).toBeNull();
  }
});

test("refuses a signature of the empty string", () => {
  expect(open(createLegacyExpressCookie("", SECRET))).toBeNull();
  expect(open(createLegacyExpressCookie("", SECRET).slice(2))).toBeNull();
  expect(open(createLegacyCookie("", SECRET))).toBeNull();
});

test("refuses a cookie of one format read as the other", () => {
  // The signed base64 is not a session ID.
  expect(open(`s:${real("session")}`)).not.toBe(ID);
  // The signed ID is not JSON.
  expect(open(real("express").slice(2))).toBeNull();
  expect(open(`s:${real("express")}`)).toBeNull();
});

test("reads only the configured field", () => {
  const data: [unknown, string][] = [
    [JSON.parse(`{"__proto__":{"sessionId":"${ID}"}}`), "sessionId"],
    [{ user: { sessionId: ID } }, "sessionId"],
    [{}, "__proto__"],
    [{}, "constructor"],
    [{}, "toString"],
    [[ID], "0x0"],
    [{ sessionId: [ID] }, "sessionId"],
    [{ sessionId: { toString: ID } }, "sessionId"],
    [{ sessionId: 12 }, "sessionId"],
    [{ sessionId: null }, "sessionId"],
    [{ sessionId: "" }, "sessionId"],
    [{ sessionId: "a b" }, "sessionId"],
    [{ sessionId: "a\u0000b" }, "sessionId"],
    [{ sessionId: "é" }, "sessionId"],
    [{ sessionId: "a".repeat(257) }, "sessionId"],
    [{ SessionId: ID }, "sessionId"],
    [12, "sessionId"],
    [null, "sessionId"],
    [true, "sessionId"],
  ];
  for (const [value, field] of data)
    expect(open(createLegacyCookie(value, SECRET), field), JSON.stringify(value)).toBeNull();
  expect(open(createLegacyCookie(JSON.parse(`{"__proto__":"${ID}"}`), SECRET), "__proto__")).toBe(
    ID,
  );
});

test("refuses signed text that is not JSON", () => {
  for (const text of ["{", "undefined", "{sessionId:1}", "\u00ff"]) {
    const encoded = Buffer.from(text, "latin1").toString("base64");
    expect(
      open(`${encoded}.${createLegacyExpressCookie(encoded, SECRET).split(".")[1]}`),
      text,
    ).toBeNull();
  }
});

test("ignores a cookie larger than browsers store", () => {
  expect(open(createLegacyCookie({ sessionId: ID, more: "x".repeat(2_800) }, SECRET))).toBe(ID);
  expect(open(createLegacyCookie({ sessionId: ID, more: "x".repeat(3_100) }, SECRET))).toBeNull();
  expect(open("s:".padEnd(1_000_000, "."))).toBeNull();
});

test("finds legacy cookies under the owner's names and reads them under the build's", () => {
  overrideEnv({
    LEGACY_COOKIE_SECRET: `${SECRET.replaceAll(" ", "-")}, the-one-before`,
    LEGACY_SESSION_COOKIE: "my_session",
    LEGACY_CLIENT_COOKIE: "my_client:id",
  });
  const session = encodeURIComponent(createLegacyCookie({ sessionId: ID }, "the-one-before"));
  const client = encodeURIComponent(
    createLegacyCookie({ id: "client-1" }, SECRET.replaceAll(" ", "-")),
  );
  const headers = {
    cookie: `a=b; my_session=${session};my_client=${client}; xmy_session=c; legacy-session=forged`,
  };
  aliasLegacyCookies(headers);
  expect(headers.cookie).toBe(
    `a=b; my_session=${session};my_client=${client}; xmy_session=c; legacy-session=forged; legacy-session=${session}; legacy-reader=${client}`,
  );
  const jar = new Map([
    ["legacy-session", decodeURIComponent(session)],
    ["legacy-reader", decodeURIComponent(client)],
  ]);
  expect(readLegacySessionId((name) => jar.get(name))).toBe(ID);
  expect(readLegacyReaderId((name) => jar.get(name))).toBe("client-1");
});

test("ignores a reader id that the reader cookie can't carry", () => {
  overrideEnv({ LEGACY_COOKIE_SECRET: "the-secret", LEGACY_CLIENT_COOKIE: "my_client" });
  for (const id of ["a.b", "a/b", "a".repeat(65)])
    expect(
      readLegacyReaderId(() => createLegacyCookie({ clientId: id }, "the-secret")),
      id,
    ).toBeNull();
});

test("ignores legacy cookies without LEGACY_COOKIE_SECRET", () => {
  const headers = { cookie: `my_session=${REAL.session}` };
  aliasLegacyCookies(headers);
  expect(headers.cookie).toBe(`my_session=${REAL.session}`);
  expect(readLegacySessionId(() => real("session"))).toBeNull();
  expect(readLegacyReaderId(() => real("client"))).toBeNull();
  overrideEnv({ LEGACY_COOKIE_SECRET: "the-secret", LEGACY_CLIENT_COOKIE: "my_client" });
  expect(readLegacySessionId(() => createLegacyCookie({ sessionId: ID }, "the-secret"))).toBeNull();
  aliasLegacyCookies({});
});
