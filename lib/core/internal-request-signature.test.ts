import { createHmac } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MINUTE_MS, setClock } from "./clock.ts";
import { resetEnv } from "./env.ts";
import {
  INTERNAL_HEADER,
  isInternalRequest,
  signInternalRequest,
} from "./internal-request-signature.ts";
import { signText } from "./signature.ts";

const NOON = Date.UTC(2026, 5, 1, 12, 0, 30);
const secret = process.env.SESSION_SECRET;

function useSecret(value: string | undefined): void {
  if (value === undefined) delete process.env.SESSION_SECRET;
  else process.env.SESSION_SECRET = value;
  resetEnv();
}

beforeEach(() => {
  useSecret("a-secret-of-the-cluster-with-more-than-32-characters");
  setClock(NOON);
});
afterEach(() => {
  useSecret(secret);
  setClock(null);
});

const withHeader = (value: string) => new Headers({ [INTERNAL_HEADER]: value });
const at = <T>(ms: number, fn: () => T): T => {
  setClock(ms);
  const result = fn();
  setClock(NOON);
  return result;
};

test("a signature from this minute or an adjacent one is valid", () => {
  for (const ms of [NOON, NOON - MINUTE_MS, NOON + MINUTE_MS])
    expect(isInternalRequest(withHeader(at(ms, () => signInternalRequest())))).toBe(true);
});

test("a signature expires after two minutes", () => {
  const header = signInternalRequest();
  for (const afterMs of [2 * MINUTE_MS, 3 * MINUTE_MS, 60 * MINUTE_MS, 400 * 24 * 60 * MINUTE_MS])
    expect(at(NOON + afterMs, () => isInternalRequest(withHeader(header)))).toBe(false);
});

test("a signature from the future is refused", () => {
  expect(isInternalRequest(withHeader(at(NOON + 2 * MINUTE_MS, () => signInternalRequest())))).toBe(
    false,
  );
});

test("an old signature with the current minute is refused", () => {
  const old = at(NOON - 10 * MINUTE_MS, () => signInternalRequest());
  const minute = signInternalRequest().split(".")[0]!;
  expect(isInternalRequest(withHeader(`${minute}.${old.split(".")[1]!}`))).toBe(false);
});

test("a signature with another secret is refused", () => {
  useSecret("a-secret-of-another-site-with-more-than-32-characters");
  const theirs = signInternalRequest();
  useSecret("a-secret-of-the-cluster-with-more-than-32-characters");
  expect(isInternalRequest(withHeader(theirs))).toBe(false);
});

test("a signature for another purpose, or with the secret itself, is refused", () => {
  const minute = signInternalRequest().split(".")[0]!;
  for (const signature of [
    signText("read-token", `${minute}\0`),
    signText("internal-call", minute),
    createHmac("sha256", process.env.SESSION_SECRET!).update(`${minute}\0`).digest("base64url"),
  ]) {
    expect(isInternalRequest(withHeader(`${minute}.${signature}`))).toBe(false);
  }
});

test("a signature is valid for its subject only", () => {
  const header = withHeader(signInternalRequest("cache.delete a"));
  expect(isInternalRequest(header, "cache.delete a")).toBe(true);
  expect(isInternalRequest(header, "cache.delete b")).toBe(false);
  expect(isInternalRequest(header)).toBe(false);
  expect(isInternalRequest(withHeader(signInternalRequest()), "cache.delete a")).toBe(false);
});

test("missing, partial and malformed headers are refused", () => {
  const right = signInternalRequest();
  const [minute, signature] = right.split(".") as [string, string];
  expect(isInternalRequest(new Headers())).toBe(false);
  for (const wrong of [
    "",
    ".",
    minute,
    `${minute}.`,
    `.${signature}`,
    signature,
    `0${right}`,
    `+${right}`,
    `${right}x`,
    `${right}=`,
    `${minute}.${signature.slice(0, 42)}`,
    `${minute}.${signature.toLowerCase()}`,
    `${minute}..${signature}`,
    `${right},${right}`,
    `${Number(minute)}.0.${signature}`,
    `NaN.${signature}`,
    `1e9.${signature}`,
    "x".repeat(10_000),
  ]) {
    expect(isInternalRequest(withHeader(wrong)), wrong.slice(0, 80)).toBe(false);
  }
});

test("every changed character is refused", () => {
  const right = signInternalRequest();
  for (let i = right.indexOf(".") + 1; i < right.length; i++) {
    const wrong = `${right.slice(0, i)}${right[i] === "A" ? "B" : "A"}${right.slice(i + 1)}`;
    expect(isInternalRequest(withHeader(wrong)), wrong).toBe(false);
  }
});
