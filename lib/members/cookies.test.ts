import { expect, test } from "vitest";
import { overrideEnv } from "#tests/support/override-env.ts";
import { findCookie } from "#lib/http/cookie-header.ts";
import { readReaderCookie, serializeReaderCookie } from "./cookies.ts";

const readFrom = (header = "") => readReaderCookie((name) => findCookie(header, name));
const nameAndValue = (setCookie: string) => setCookie.slice(0, setCookie.indexOf(";"));

test("a reader's ID survives the round trip through its cookie", () => {
  const cookie = serializeReaderCookie("reader-1");
  expect(cookie).toMatch(
    /^reader=reader-1\.[\w-]{43}; Path=\/; Max-Age=34560000; HttpOnly; SameSite=Lax$/,
  );
  expect(readFrom(nameAndValue(cookie))).toBe("reader-1");
  expect(readFrom(`a=b; ${nameAndValue(cookie)} ;c=d=e`)).toBe("reader-1");
});

test("over HTTPS, the reader cookie is bound to this host", () => {
  overrideEnv({ SITE_URL: "https://lectern.example" });
  const cookie = serializeReaderCookie("reader-1");
  expect(cookie).toMatch(/^__Host-reader=.*; Secure$/);
  expect(readFrom(nameAndValue(cookie))).toBe("reader-1");
  expect(readFrom(nameAndValue(cookie).replace("__Host-", ""))).toBeNull();
  overrideEnv({ SITE_URL: undefined });
});

test("a reader cookie without this site's signature is ignored", () => {
  for (const header of [
    undefined,
    "",
    "reader",
    "reader=",
    "reader=reader-1",
    `reader=reader-2.${serializeReaderCookie("reader-1").split(/[.;]/)[1]}`,
    `xreader${nameAndValue(serializeReaderCookie("reader-1")).slice(6)}`,
  ]) {
    expect(readFrom(header)).toBeNull();
  }
});
