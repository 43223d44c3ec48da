import { afterEach, expect, test } from "vitest";
import { METRICS_SIGNATURE_SUBJECT, refuseMetrics } from "./metrics-access.ts";
import { signInternalRequest } from "#lib/core/internal-request-signature.ts";
import { overrideEnv } from "#tests/support/override-env.ts";

const TOKEN = "a-token-of-monitoring-only";

afterEach(() => overrideEnv({ METRICS_TOKEN: undefined, NODE_ENV: "test" }));

const refusal = (headers: Record<string, string>) => refuseMetrics(new Headers(headers));

test("no one reads the metrics without credentials, wherever the request comes from", () => {
  const requests: Record<string, string>[] = [
    {},
    { authorization: "Bearer" },
    { authorization: "Bearer undefined" },
    { authorization: "Bearer " },
    { "x-lectern-internal": "1.x" },
    { "fly-client-ip": "127.0.0.1" },
    { host: "localhost", "x-forwarded-for": "127.0.0.1" },
  ];
  for (const NODE_ENV of ["production", "development"]) {
    overrideEnv({ NODE_ENV, METRICS_TOKEN: undefined });
    expect(requests.map(refusal)).toEqual(requests.map(() => 404));
    overrideEnv({ METRICS_TOKEN: TOKEN });
    expect(requests.map(refusal)).toEqual(requests.map(() => 401));
  }
});

test("only the right token gives access", () => {
  overrideEnv({ METRICS_TOKEN: TOKEN });
  expect(refusal({ authorization: `Bearer ${TOKEN}` })).toBeNull();
  expect(refusal({ authorization: `bearer ${TOKEN}` })).toBeNull();
  for (const authorization of [
    TOKEN,
    `Basic ${TOKEN}`,
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(1)}`,
    `Bearer ${TOKEN} ${TOKEN}`,
    `Bearer ${"x".repeat(10_000)}`,
    "",
  ])
    expect(refusal({ authorization }), authorization.slice(0, 50)).toBe(401);
});

test("a peer has access only with a signature for the metrics", () => {
  const signed = (subject: string) => ({ "x-lectern-internal": signInternalRequest(subject) });
  expect(refusal(signed(METRICS_SIGNATURE_SUBJECT))).toBeNull();
  expect(refusal(signed("status"))).toBe(404);
});

test("during a rotation, both tokens are accepted", () => {
  const next = "next-token-of-monitoring";
  overrideEnv({ METRICS_TOKEN: `${next}, ${TOKEN}` });
  const refusal = (token: string) =>
    refuseMetrics(new Headers({ authorization: `Bearer ${token}` }));
  expect([refusal(TOKEN), refusal(next), refusal(`${next},`), refusal("other")]).toEqual([
    null,
    null,
    401,
    401,
  ]);
  overrideEnv({ METRICS_TOKEN: next });
  expect(refusal(TOKEN)).toBe(401);
});
