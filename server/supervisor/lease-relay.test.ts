import net from "node:net";
import { expect, test, vi } from "vitest";
import { createLeaseRelay } from "./lease-relay.ts";

const leaseOf = (url: string) => {
  const value = JSON.stringify({ hostname: "dfw-2", "advertise-url": url });
  return Buffer.from(JSON.stringify([{ Value: Buffer.from(value).toString("base64") }]));
};

test("a relay that could not start is tried again, and doesn't keep the node from stopping", async () => {
  const relay = createLeaseRelay("dfw-1");
  const body = leaseOf("http://127.0.0.1:7");
  const listen = vi.spyOn(net.Server.prototype, "listen").mockImplementationOnce(function (
    this: net.Server,
  ) {
    process.nextTick(() => this.emit("error", new Error("EMFILE")));
    return this;
  });
  await expect(relay.relayLease(body)).rejects.toThrow("EMFILE");
  expect(listen).toHaveBeenCalledOnce();
  expect(String(await relay.relayLease(body))).toContain("Value");
  await expect(relay.relayLease(leaseOf("not a URL"))).rejects.toThrow("Invalid URL");
  await relay.close();
});
