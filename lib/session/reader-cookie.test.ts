import { expect, test } from "vitest";
import { overrideEnv } from "#tests/database.ts";
import { readReader, readerCookie } from "./reader-cookie.ts";

const request = (cookie?: string) => ({
  headers: new Headers(cookie === undefined ? {} : { cookie }),
});
const pair = (setCookie: string) => setCookie.slice(0, setCookie.indexOf(";"));

test("the id in the cookie comes back", () => {
  const cookie = readerCookie("reader-1");
  expect(cookie).toMatch(
    /^reader=reader-1\.[\w-]{43}; Path=\/; Max-Age=34560000; HttpOnly; SameSite=Lax$/,
  );
  expect(readReader(request(pair(cookie)))).toBe("reader-1");
  expect(readReader(request(`a=b; ${pair(cookie)} ;c=d=e`))).toBe("reader-1");
});

test("over https the cookie belongs to this host alone", () => {
  overrideEnv({ SITE_URL: "https://lectern.example" });
  const cookie = readerCookie("reader-1");
  expect(cookie).toMatch(/^__Host-reader=.*; Secure$/);
  expect(readReader(request(pair(cookie)))).toBe("reader-1");
  expect(readReader(request(pair(cookie).replace("__Host-", "")))).toBeNull();
  overrideEnv({ SITE_URL: undefined });
});

test("a cookie that we did not sign is none", () => {
  for (const cookie of [
    undefined,
    "",
    "reader",
    "reader=",
    "reader=reader-1",
    `reader=reader-2.${readerCookie("reader-1").split(/[.;]/)[1]}`,
    `xreader${pair(readerCookie("reader-1")).slice(6)}`,
  ]) {
    expect(readReader(request(cookie))).toBeNull();
  }
});
