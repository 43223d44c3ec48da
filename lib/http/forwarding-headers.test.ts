import type { IncomingMessage } from "node:http";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { RequestContext } from "#lib/core/request-context.ts";
import { resetSingleton } from "#lib/core/singleton.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { findForwardingHeader, warnOfUntrustedProxy } from "./forwarding-headers.ts";

const requestWith = (...rawHeaders: string[]) =>
  ({ rawHeaders, socket: {} }) as unknown as IncomingMessage;

beforeEach(() => resetSingleton("untrusted-proxy"));
afterEach(() => overrideEnv({ LOG_LEVEL: "error", TRUST_PROXY: undefined }));

test("a header of a proxy is found, and nothing else", () => {
  for (const name of [
    "X-Forwarded-For",
    "forwarded",
    "Via",
    "x-real-ip",
    "Fly-Client-IP",
    "CF-Connecting-IP",
    "X-Forwarded-Proto",
  ])
    expect(findForwardingHeader(requestWith("Host", "x", name, "1"))).toBe(name);
  expect(findForwardingHeader(requestWith("Host", "via", "Accept", "forwarded"))).toBeUndefined();
});

test("one warning tells that a proxy is in front and none is trusted", () => {
  overrideEnv({ LOG_LEVEL: "warn" });
  const write = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const receive = (...headers: string[]) =>
    warnOfUntrustedProxy({ request: requestWith(...headers) } as RequestContext);
  receive("Host", "x");
  expect(write).not.toHaveBeenCalled();
  for (let i = 0; i < 3; i++) receive("Host", "x", "X-Forwarded-For", "192.0.2.1");
  expect(write).toHaveBeenCalledTimes(1);
  expect(String(write.mock.calls[0]![0])).toMatch(/proxy\.not_trusted.*TRUST_PROXY/);
});

test("there is no warning if a proxy is trusted", () => {
  const write = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  for (const TRUST_PROXY of ["fly", "1", "127.0.0.1"]) {
    overrideEnv({ LOG_LEVEL: "warn", TRUST_PROXY });
    warnOfUntrustedProxy({ request: requestWith("X-Forwarded-For", "a") } as RequestContext);
  }
  expect(write).not.toHaveBeenCalled();
});
