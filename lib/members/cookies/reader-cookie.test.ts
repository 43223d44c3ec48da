import { expect, test } from "vitest";
import { overrideEnv } from "#tests/support/override-env.ts";
import { readReaderCookieFromRequest, serializeReaderCookie } from "./reader-cookie.ts";

const request = (cookie?: string) => ({
  headers: new Headers(cookie === undefined ? {} : { cookie }),
});
const pair = (setCookie: string) => setCookie.slice(0, setCookie.indexOf(";"));

test("the id in the cookie comes back", () => {
  const cookie = serializeReaderCookie("reader-1");
  expect(cookie).toMatch(
    /^reader=reader-1\.[\w-]{43}; Path=\/; Max-Age=34560000; HttpOnly; SameSite=Lax$/,
  );
  expect(readReaderCookieFromRequest(request(pair(cookie)))).toBe("reader-1");
  expect(readReaderCookieFromRequest(request(`a=b; ${pair(cookie)} ;c=d=e`))).toBe("reader-1");
});

test("over https the cookie belongs to this host alone", () => {
  overrideEnv({ SITE_URL: "https://lectern.example" });
  const cookie = serializeReaderCookie("reader-1");
  expect(cookie).toMatch(/^__Host-reader=.*; Secure$/);
  expect(readReaderCookieFromRequest(request(pair(cookie)))).toBe("reader-1");
  expect(readReaderCookieFromRequest(request(pair(cookie).replace("__Host-", "")))).toBeNull();
  overrideEnv({ SITE_URL: undefined });
});

test("a cookie that we did not sign is none", () => {
  for (const cookie of [
    undefined,
    "",
    "reader",
    "reader=",
    "reader=reader-1",
    `reader=reader-2.${serializeReaderCookie("reader-1").split(/[.;]/)[1]}`,
    `xreader${pair(serializeReaderCookie("reader-1")).slice(6)}`,
  ]) {
    expect(readReaderCookieFromRequest(request(cookie))).toBeNull();
  }
});
