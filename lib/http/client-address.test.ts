import { request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { overrideEnv } from "#tests/support/override-env.ts";
import { getClientAddress } from "./client-address.ts";
import { createPipelineServer } from "./pipeline.ts";

const from = (headers: Record<string, string>) =>
  getClientAddress({ headers: new Headers(headers) });

test("headers are ignored without a trusted proxy", () => {
  expect(
    from({
      "fly-client-ip": "192.0.2.1",
      "x-forwarded-for": "192.0.2.2",
      forwarded: "for=192.0.2.3",
    }),
  ).toBeNull();
});

test("behind Fly's proxy, only fly-client-ip is used", () => {
  overrideEnv({ TRUST_PROXY: "fly" });
  expect(from({ "fly-client-ip": "192.0.2.1", "x-forwarded-for": "192.0.2.2" })).toBe("192.0.2.1");
  expect(from({ "fly-client-ip": "2001:DB8::1" })).toBe("2001:db8::1");
  expect(from({ "x-forwarded-for": "192.0.2.2" })).toBeNull();
  expect(from({ "fly-client-ip": "192.0.2.1, 192.0.2.2" })).toBeNull();
  overrideEnv({ TRUST_PROXY: undefined });
});

test("otherwise, the address is the socket peer's, IPv4-mapped as IPv4", async () => {
  const seen: (string | null)[] = [];
  const server = createPipelineServer((_, response) => {
    seen.push(from({ "fly-client-ip": "192.0.2.1" }));
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "::", resolve));
  const { port } = server.address() as AddressInfo;
  for (const host of ["127.0.0.1", "::1"]) {
    await new Promise((resolve, reject) =>
      httpRequest({ host, port, agent: false }, (response) => response.resume().on("end", resolve))
        .on("error", reject)
        .end(),
    );
  }
  await new Promise((resolve) => server.close(resolve));
  expect(seen).toEqual(["127.0.0.1", "::1"]);
});
