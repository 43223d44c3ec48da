import { expect, test } from "vitest";
import { signWebhook } from "#tests/support/git-host.ts";
import { MAX_WEBHOOK_BYTES, verifyWebhook } from "./push-webhook.ts";

const secret = "a secret of sixteen";
const config = {
  secrets: ["its successor, of 16", secret],
  repository: "ada/site",
  branch: "main",
};
const after = "a".repeat(40);
const payload = { ref: "refs/heads/main", after, repository: { full_name: "ada/site" } };

function verify(body: string | object, headers: Record<string, string | undefined> = {}) {
  const bytes = Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  const all = {
    "x-github-event": "push",
    "content-type": "application/json",
    "x-hub-signature-256": signWebhook(secret, bytes),
    ...headers,
  };
  return verifyWebhook(
    new Headers(
      Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
    bytes,
    config,
  );
}
const errorCodeOf = (...args: Parameters<typeof verify>): unknown => {
  try {
    return verify(...args);
  } catch (error) {
    return (error as { code: string }).code;
  }
};

test("a signed push to the branch returns its commit", () => {
  expect(verify(payload)).toEqual({ kind: "push", version: after });
  expect(verify(payload, { "content-type": "application/json; charset=utf-8" })).toEqual({
    kind: "push",
    version: after,
  });
});

test("a ping is recognized", () => {
  expect(verify({ zen: "Keep it logically awesome." }, { "x-github-event": "ping" })).toEqual({
    kind: "ping",
  });
});

test.each([
  ["none", undefined],
  ["an empty one", ""],
  ["one of another secret", signWebhook("another secret!!", JSON.stringify(payload))],
  ["one of another body", signWebhook(secret, `${JSON.stringify(payload)} `)],
  ["one that is too short", signWebhook(secret, JSON.stringify(payload)).slice(0, -2)],
  ["SHA-1", `sha1=${"0".repeat(40)}`],
  ["no hex", `sha256=${"z".repeat(64)}`],
  [
    "two",
    `${signWebhook(secret, JSON.stringify(payload))}, ${signWebhook(secret, JSON.stringify(payload))}`,
  ],
])("a push whose signature is %s is unauthorized", (_, signature) => {
  expect(errorCodeOf(payload, { "x-hub-signature-256": signature })).toBe("unauthorized");
});

test("an unsigned body is not parsed", () => {
  expect(errorCodeOf("{", { "x-hub-signature-256": `sha256=${"0".repeat(64)}` })).toBe(
    "unauthorized",
  );
});

test.each([
  "",
  "{",
  "null",
  "[]",
  '"x"',
  '{"ref":1}',
  JSON.stringify({ ...payload, after: "main" }),
  JSON.stringify({ ...payload, after: "../x" }),
  JSON.stringify({ ...payload, repository: undefined }),
])("the signed body %j is invalid", (body) => {
  expect(errorCodeOf(body)).toBe("invalid");
});

test("a form instead of JSON is invalid, and the message says what to change", () => {
  expect(() =>
    verify("payload=%7B%7D", { "content-type": "application/x-www-form-urlencoded" }),
  ).toThrow(/content type to application\/json/);
});

test.each([
  [{ ...payload, ref: "refs/heads/dev" }, /another branch/],
  [{ ...payload, ref: "refs/tags/main" }, /another branch/],
  [{ ...payload, ref: "refs/heads/main/x" }, /another branch/],
  [{ ...payload, repository: { full_name: "eve/site" } }, /another repository/],
  [{ ...payload, after: "0".repeat(40), deleted: true }, /deleted/],
])("a push to another branch or repository, or a deletion, is ignored: %j", (body, reason) => {
  expect(verify(body)).toEqual({ kind: "ignored", reason: expect.stringMatching(reason) });
});

test("other events are ignored", () => {
  expect(verify(payload, { "x-github-event": "pull_request" })).toMatchObject({ kind: "ignored" });
  expect(verify(payload, { "x-github-event": undefined })).toMatchObject({ kind: "ignored" });
});

test("a body above the limit is rejected before its signature is computed", () => {
  expect(() => verifyWebhook(new Headers(), new Uint8Array(MAX_WEBHOOK_BYTES + 1), config)).toThrow(
    /larger than/,
  );
});
