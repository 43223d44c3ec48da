import { expect, test } from "vitest";
import { overrideEnv } from "#tests/support/override-env.ts";
import { AppError } from "#lib/core/errors.ts";
import { HOUR_MS, MINUTE_MS } from "#lib/core/clock.ts";
import { createReaderId, unsignReaderId, signReaderId } from "./reader-id.ts";
import {
  MAX_DWELL_TOKEN_LENGTH,
  issueDwellToken,
  getMinDwellMs,
  verifyDwellToken,
} from "./dwell-token.ts";

const NOW = Date.parse("2026-11-23T10:00:00Z");
const open = (token: string, { slug = "a-post", minMs = 0, nowMs = NOW } = {}) =>
  verifyDwellToken(token, { slug, minMs, nowMs });
const token = (slug = "a-post") => issueDwellToken({ slug, nowMs: NOW });

/** Returns the code and message that `fn` throws. */
function refusal(fn: () => unknown): [string, string] | null {
  try {
    fn();
    return null;
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    return [(error as AppError).code, (error as AppError).message];
  }
}

test("a token contains the post and the time, and is unique", () => {
  const parsed = open(token());
  expect(parsed).toEqual({
    slug: "a-post",
    issuedAtMs: NOW,
    expiresAtMs: NOW + 24 * HOUR_MS,
    nonce: expect.stringMatching(/^[\w-]{22}$/),
  });
  expect(new Set(Array.from({ length: 100 }, () => open(token()).nonce)).size).toBe(100);
});

test("60% of the reading time must have passed, to the millisecond", () => {
  const minMs = getMinDwellMs(10);
  expect(minMs).toBe(6 * MINUTE_MS);
  expect(refusal(() => open(token(), { minMs, nowMs: NOW + minMs - 1 }))).toEqual([
    "forbidden",
    "Too early: the post was opened a moment ago.",
  ]);
  expect(open(token(), { minMs, nowMs: NOW + minMs }).slug).toBe("a-post");
  expect(getMinDwellMs(1)).toBe(36_000);
});

test("a token from the future is too early, a token of yesterday has expired", () => {
  expect(refusal(() => open(token(), { nowMs: NOW - 1 }))?.[1]).toMatch(/^Too early/);
  expect(open(token(), { nowMs: NOW + 24 * HOUR_MS - 1 }).slug).toBe("a-post");
  expect(refusal(() => open(token(), { nowMs: NOW + 24 * HOUR_MS }))).toEqual([
    "forbidden",
    "The token has expired.",
  ]);
});

test("a token is bound to its post", () => {
  expect(refusal(() => open(token("another-post")))).toEqual([
    "forbidden",
    "The token is for another post.",
  ]);
});

test("any slug survives the round trip", () => {
  for (const slug of ["a.b.c", "ünïcode-日本", "a b%2E", "%", "x".repeat(200)])
    expect(open(token(slug), { slug }).slug).toBe(slug);
  expect(token("日".repeat(66)).length).toBeLessThan(MAX_DWELL_TOKEN_LENGTH);
});

test("a token with any character changed is refused", () => {
  const right = token();
  for (let at = 0; at < right.length; at++) {
    for (const other of ["A", "b", "0", ".", "%", "\0"]) {
      if (other === right[at]) continue;
      const changed = right.slice(0, at) + other + right.slice(at + 1);
      expect(refusal(() => open(changed))?.[0], changed).toBe("invalid");
    }
  }
});

test("other texts are malformed", () => {
  for (const text of [
    "",
    ".",
    "...",
    "a.b.c.d",
    `${token()} `,
    `${token()}\n`,
    ` ${token()}`,
    token() + token(),
    "x".repeat(100_000),
    "a-post.zzzzzzzzzzzzz." + "A".repeat(22) + "." + "A".repeat(43),
  ]) {
    expect(
      refusal(() => open(text)),
      text.slice(0, 80),
    ).toEqual(["invalid", "The token is malformed."]);
  }
});

test("a token signed with another secret or for another purpose is forged", () => {
  const foreign = token();
  overrideEnv({ SESSION_SECRET: "another-secret-another-secret-another" });
  expect(refusal(() => open(foreign))).toEqual(["invalid", "The token's signature is invalid."]);
  const text = foreign.slice(0, foreign.lastIndexOf("."));
  overrideEnv({ SESSION_SECRET: "unit-tests-unit-tests-unit-tests-unit" });
  expect(open(foreign).slug).toBe("a-post");
  const forReaders = signReaderId(text.replaceAll(".", "-"));
  expect(
    refusal(() => open(`${text}.${forReaders.slice(forReaders.lastIndexOf(".") + 1)}`)),
  ).toEqual(["invalid", "The token's signature is invalid."]);
});

test("a reader id counts only with this site's signature", () => {
  const id = createReaderId(Date.now());
  const sealed = signReaderId(id);
  expect(unsignReaderId(sealed)).toBe(id);
  for (const value of [
    undefined,
    null,
    "",
    ".",
    id,
    `${id}.`,
    `${createReaderId(Date.now())}${sealed.slice(36)}`,
    `${sealed}x`,
    sealed.slice(0, -1),
    `x${sealed}`,
    "x".repeat(10_000),
  ]) {
    expect(unsignReaderId(value)).toBeNull();
  }
});
