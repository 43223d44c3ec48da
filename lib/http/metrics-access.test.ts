import type { IncomingMessage } from "node:http";
import { afterEach, expect, test } from "vitest";
import { METRICS_SIGNATURE_SUBJECT, canReadMetrics } from "./metrics-access.ts";
import { signInternalRequest } from "#lib/core/internal-request-signature.ts";
import type { RequestContext } from "#lib/core/request-context.ts";
import { overrideEnv } from "#tests/support/override-env.ts";

const TOKEN = "a-token-of-monitoring-only";

afterEach(() => overrideEnv({ METRICS_TOKEN: undefined, TRUST_PROXY: undefined }));

const from = (remoteAddress: string, rawHeaders: string[] = []) =>
  ({
    request: { socket: { remoteAddress }, rawHeaders } as unknown as IncomingMessage,
  }) as RequestContext;
const may = (
  headers: Record<string, string>,
  context: RequestContext | undefined = from("203.0.113.7"),
) => canReadMetrics(new Headers(headers), context);

test("a client without credentials can't read the metrics", () => {
  for (const headers of [
    {},
    { authorization: "Bearer" },
    { authorization: "Bearer undefined" },
    { authorization: "Bearer " },
    { "x-lectern-internal": "1.x" },
    { "fly-client-ip": "127.0.0.1" },
  ])
    expect(may(headers as Record<string, string>)).toBe(false);
});

test("only the right token gives access", () => {
  overrideEnv({ METRICS_TOKEN: TOKEN });
  expect(may({ authorization: `Bearer ${TOKEN}` })).toBe(true);
  expect(may({ authorization: `bearer ${TOKEN}` })).toBe(true);
  for (const authorization of [
    TOKEN,
    `Basic ${TOKEN}`,
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(1)}`,
    `Bearer ${TOKEN} ${TOKEN}`,
    `Bearer ${"x".repeat(10_000)}`,
    "",
  ])
    expect(may({ authorization }), authorization.slice(0, 50)).toBe(false);
});

test("a peer has access only with a signature for the metrics", () => {
  expect(may({ "x-lectern-internal": signInternalRequest(METRICS_SIGNATURE_SUBJECT) })).toBe(true);
  expect(may({ "x-lectern-internal": signInternalRequest("status") })).toBe(false);
});

test("this machine has access, unless a proxy is in front", () => {
  for (const address of ["127.0.0.1", "127.0.1.12", "::1", "::ffff:127.0.0.1"])
    expect(may({}, from(address)), address).toBe(true);
  for (const address of ["", "10.0.0.1", "::ffff:10.0.0.1", "1127.0.0.1", "fdaa::1"])
    expect(may({}, from(address)), address).toBe(false);
  for (const header of [
    "X-Forwarded-For",
    "forwarded",
    "Via",
    "x-real-ip",
    "Fly-Client-IP",
    "CF-Connecting-IP",
    "X-Forwarded-Proto",
  ])
    expect(may({}, from("127.0.0.1", ["Host", "x", header, "1"])), header).toBe(false);
  expect(canReadMetrics(new Headers(), undefined)).toBe(false);
});

test("behind Fly's proxy, only the private network has access", () => {
  overrideEnv({ TRUST_PROXY: "fly" });
  expect(may({}, from("fdaa::1"))).toBe(true);
  for (const header of ["Fly-Client-IP", "X-Forwarded-For", "Via"])
    for (const address of ["fdaa::1", "127.0.0.1"])
      expect(may({}, from(address, ["Host", "x", header, "1"])), header).toBe(false);
});
