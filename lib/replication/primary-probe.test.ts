import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type FakeLitefs, startFakeLitefs } from "#tests/support/fake-litefs.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { type TestServer, serveHttp } from "#tests/support/test-server.ts";
import { isPrimaryReachable } from "./position.ts";
import {
  findRespondingPrimary,
  isPrimarySiteResponding,
  startProbingPrimary,
  stopProbingPrimary,
} from "./primary-probe.ts";

let litefs: FakeLitefs;
let site: TestServer;
let isHanging = false;
let probes = 0;

beforeEach(async () => {
  isHanging = false;
  probes = 0;
  litefs = await startFakeLitefs("dfw-1");
  site = await serveHttp((_, response) => {
    probes += 1;
    if (!isHanging) response.end();
  });
  overrideEnv({
    CLUSTER_NODES: "here@ams=127.0.0.1,dfw-1@dfw=127.0.0.1",
    PORT: new URL(site.origin).port,
  });
});
afterEach(async () => {
  stopProbingPrimary();
  await site.close();
  await litefs.stop();
  overrideEnv({ CLUSTER_NODES: undefined, PORT: undefined });
});

const waitUntilProbed = () => vi.waitFor(() => expect(probes).toBeGreaterThan(0), 10_000);

test("a primary whose site answers is reachable, and stops being so when it hangs", async () => {
  startProbingPrimary();
  await waitUntilProbed();
  await vi.waitFor(() => expect(isPrimaryReachable()).toBe(true), 10_000);
  isHanging = true;
  const answered = probes;
  // LiteFS still hears from the machine.
  await vi.waitFor(() => expect(isPrimaryReachable()).toBe(false), 10_000);
  // Unanswered probes do not pile up.
  expect(probes - answered).toBeLessThanOrEqual(2);
  isHanging = false;
  await vi.waitFor(() => expect(isPrimaryReachable()).toBe(true), 10_000);
});

test("a new primary is probed immediately, and not mistaken for the previous one", async () => {
  startProbingPrimary();
  await waitUntilProbed();
  overrideEnv({ CLUSTER_NODES: "here@ams=127.0.0.1,dfw-2@dfw=127.0.0.1" });
  isHanging = true;
  await litefs.setPrimary("dfw-2");
  await vi.waitFor(() => expect(isPrimarySiteResponding()).toBe(false), 10_000);
});

test("a primary without a known address is not probed, and counts as responding", async () => {
  overrideEnv({ CLUSTER_NODES: "here@ams=127.0.0.1" });
  startProbingPrimary();
  await litefs.setPrimary("dfw-3");
  expect(isPrimarySiteResponding()).toBe(true);
  expect(probes).toBe(0);
});

test("the primary sends no probes", async () => {
  await litefs.setPrimary(null);
  startProbingPrimary();
  await litefs.setPrimary("dfw-1");
  await waitUntilProbed();
  await litefs.setPrimary(null);
  await vi.waitFor(() => expect(isPrimarySiteResponding()).toBe(true), 10_000);
});

test("a primary that LiteFS keeps losing is found if its site has responded since", async () => {
  startProbingPrimary();
  await waitUntilProbed();
  await vi.waitFor(() => expect(findRespondingPrimary()).toBe("dfw-1"), 10_000);
  isHanging = true;
  await litefs.setPrimary("");
  await litefs.setPrimary("dfw-1");
  await litefs.setPrimary("");
  expect(findRespondingPrimary()).toBeNull();
  isHanging = false;
  // A hanging probe times out after three seconds.
  await vi.waitFor(
    async () => {
      await litefs.setPrimary("dfw-1");
      await litefs.setPrimary("");
      await vi.waitFor(() => expect(findRespondingPrimary()).toBe("dfw-1"), 400);
    },
    { timeout: 10_000 },
  );
  await vi.waitFor(() => expect(findRespondingPrimary()).toBeNull(), 10_000);
});
