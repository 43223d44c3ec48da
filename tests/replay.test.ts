import type { AddressInfo } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { overrideEnv } from "./support/override-env.ts";
import { insertUser } from "./support/factories.ts";
import { currentRequestContext } from "#lib/core/request-context.ts";
import { MINUTE_MS, setClock } from "#lib/core/clock.ts";
import { write } from "#lib/db/database.ts";
import { type FakeLitefs, startFakeLitefs } from "./support/fake-litefs.ts";
import {
  ensurePrimary,
  getFlyReplayResponse,
  getInstanceInfo,
  isReplay,
  replayTo,
} from "#lib/replication/ensure-primary.ts";
import PreviewPage from "#app/preview/[token]/page.tsx";
import UnsubscribePage from "#app/unsubscribe/page.tsx";
import { createPipelineServer } from "#lib/http/pipeline.ts";
import { signUnsubscribeToken } from "#lib/members/subscription-token.ts";
import { previewPath } from "#lib/posts/preview-links.ts";
import {
  waitForOwnWrites,
  verifyTxidCookie,
  createTxidCookie,
} from "#lib/replication/read-your-writes.ts";

vi.mock("next/server", async (load) => ({ ...(await load<object>()), connection: async () => {} }));

let litefs: FakeLitefs | undefined;
afterEach(async () => {
  await litefs?.stop();
  litefs = undefined;
});

/** Serves one request with `handler` behind the pipeline. As in Next, an error becomes a 500. */
async function served(
  handler: () => Promise<string>,
  headers: Record<string, string> = {},
  method = "GET",
): Promise<Response> {
  const server = createPipelineServer((_request, response) => {
    response.setHeader("set-cookie", "a=b");
    handler().then(
      (text) => {
        response.statusCode = 200;
        if (!response.headersSent || currentRequestContext()?.isReplayedElsewhere)
          response.setHeader("x-late", "1");
        response.end(text);
      },
      () => {
        response.statusCode = 500;
        response.end("fault");
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, {
      headers,
      method,
      redirect: "manual",
    });
  } finally {
    server.close();
  }
}

const swallow = async () => {
  try {
    await ensurePrimary();
  } catch {
    // A catch-all as in kentcdodds.com's getUser.
  }
  return "page";
};

test("on the primary, ensurePrimary returns", async () => {
  await ensurePrimary();
  overrideEnv({ INSTANCE: "alone" });
  expect(getInstanceInfo()).toEqual({
    currentInstance: "alone",
    primaryInstance: "alone",
    currentIsPrimary: true,
  });
  litefs = await startFakeLitefs(null);
  await ensurePrimary();
  expect(getInstanceInfo()).toEqual({
    currentInstance: "here",
    primaryInstance: "here",
    currentIsPrimary: true,
  });
});

test("an unreachable primary gets no writes or reads", async () => {
  litefs = await startFakeLitefs("dfw-1");
  litefs.setHeartbeatAge(5_000);
  await expect(ensurePrimary({ settleMs: 0 })).rejects.toMatchObject({
    code: "unavailable",
    retryAfterSeconds: 5,
  });
  await waitForOwnWrites(createTxidCookie(2).split(/[=;]/)[1]);
  // While a dead primary's lease lasts, its name comes and goes: only a newer heartbeat counts.
  litefs.setHeartbeatAge(0);
  expect(isReplay(await ensurePrimary({ settleMs: 0 }).catch((error: unknown) => error))).toBe(
    true,
  );
  await litefs.setPrimary("");
  litefs.setHeartbeatAge(4_900);
  await litefs.setPrimary("dfw-1");
  await expect(ensurePrimary({ settleMs: 0 })).rejects.toMatchObject({ code: "unavailable" });
  litefs.setHeartbeatAge(0);
  expect(isReplay(await ensurePrimary().catch((error: unknown) => error))).toBe(true);
});

test("on a replica, it throws a fly-replay response", async () => {
  litefs = await startFakeLitefs("dfw-1");
  const thrown = await ensurePrimary().catch((error: unknown) => error);
  expect(isReplay(thrown)).toBe(true);
  for (const response of [thrown as Response, getFlyReplayResponse()]) {
    expect(response.status).toBe(409);
    expect(response.headers.get("fly-replay")).toBe("instance=dfw-1");
    expect(await response.text()).toBe("Fly Replay");
  }
  expect(getFlyReplayResponse("syd-1").headers.get("fly-replay")).toBe("instance=syd-1");
  expect(getInstanceInfo()).toEqual({
    currentInstance: "here",
    primaryInstance: "dfw-1",
    currentIsPrimary: false,
  });
});

test("a replay survives a catch-all, without headers of the page", async () => {
  litefs = await startFakeLitefs("dfw-1");
  const response = await served(swallow);
  expect([response.status, response.headers.get("fly-replay"), await response.text()]).toEqual([
    409,
    "instance=dfw-1",
    "Fly Replay",
  ]);
  expect(response.headers.get("set-cookie")).toBeNull();
  expect(response.headers.get("x-late")).toBeNull();
  const thrown = await served(async () => (await ensurePrimary(), "page"));
  expect([thrown.status, await thrown.text()]).toEqual([409, "Fly Replay"]);
});

test("a request that was replayed twice is refused", async () => {
  litefs = await startFakeLitefs("dfw-2");
  const write = async () => {
    try {
      await ensurePrimary();
      return "written";
    } catch (error) {
      return `${(error as { code?: string }).code}`;
    }
  };
  expect(
    (await served(write, { "fly-replay-src": "instance=syd-1;region=syd;t=1" })).headers.get(
      "fly-replay",
    ),
  ).toBe("instance=dfw-2;state=2");
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  for (const state of ["2", "3", "99"]) {
    const refused = await served(write, {
      "fly-replay-src": `instance=syd-1;region=syd;t=1;state=${state}`,
    });
    expect([refused.status, await refused.text()]).toEqual([200, "unavailable"]);
  }
});

test("without a primary, a write is refused after a bounded wait", async () => {
  litefs = await startFakeLitefs("");
  await expect(ensurePrimary({ settleMs: 20 })).rejects.toMatchObject({
    code: "unavailable",
    retryAfterSeconds: 5,
  });
  expect(() => replayTo(null, "write")).toThrow(/Writes are paused/);
  expect(() => getFlyReplayResponse()).toThrow(/Writes are paused/);
});

test("every response to a write sets the txid cookie, even a redirect", async () => {
  litefs = await startFakeLitefs(null);
  litefs.setPosition(42);
  const response = await served(async () => {
    await write((tx) => insertUser(tx));
    currentRequestContext()!.response.statusCode = 303;
    return "";
  });
  const cookie = response.headers.getSetCookie().find((each) => each.startsWith("txid=")) ?? "";
  expect(cookie).toMatch(/^txid=[\w.-]+; Max-Age=60; Path=\/; HttpOnly; SameSite=Lax$/);
  expect(verifyTxidCookie(cookie.slice(5, cookie.indexOf(";")))).toBe(42);
  expect((await served(async () => "read")).headers.getSetCookie()).toEqual(["a=b"]);
});

test("a write after the response head fails", async () => {
  const late = Promise.withResolvers<unknown>();
  await served(async () => {
    const { response } = currentRequestContext()!;
    response.flushHeaders();
    await write((tx) => insertUser(tx)).then(late.resolve, late.resolve);
    return "page";
  }).catch(() => {});
  expect(await late.promise).toMatchObject({
    message: expect.stringContaining("after the response's head"),
  });
});

const valueOf = (txid: number) => /^[^=]+=([^;]*)/.exec(createTxidCookie(txid))![1]!;

test("only a txid signed within the last minute is accepted", () => {
  setClock(1_000_000_000_000);
  const value = valueOf(42);
  expect(verifyTxidCookie(value)).toBe(42);
  expect(verifyTxidCookie(value.replace(/^\w+/, "zzzz"))).toBeNull();
  expect(verifyTxidCookie(value.replace(/\.\w+\./, ".zzzzzzzz."))).toBeNull();
  for (const forged of [
    undefined,
    "",
    "42",
    "ffffffff",
    `${value}x`,
    value.slice(0, -1),
    value.toUpperCase(),
  ])
    expect(verifyTxidCookie(forged)).toBeNull();
  setClock(1_000_000_000_000 + MINUTE_MS + 1_000);
  expect(verifyTxidCookie(value)).toBeNull();
  setClock(1_000_000_000_000 - MINUTE_MS - 1_000);
  expect(verifyTxidCookie(value)).toBeNull();
});

test("a replica waits for its reader's write, then replays", async () => {
  litefs = await startFakeLitefs("dfw-1");
  litefs.setPosition(9);
  await waitForOwnWrites(valueOf(9));
  const waited = waitForOwnWrites(valueOf(10));
  litefs.setPosition(10);
  await waited;
  const startedMs = performance.now();
  expect(isReplay(await waitForOwnWrites(valueOf(11)).catch((error: unknown) => error))).toBe(true);
  expect(performance.now() - startedMs).toBeGreaterThan(450);
});

test("a replayed read is served anywhere, and without a primary a stale page is served", async () => {
  litefs = await startFakeLitefs("dfw-1");
  const read = async () => (await waitForOwnWrites(valueOf(99)), "page");
  expect(
    await (await served(read, { "fly-replay-src": "instance=syd-1;region=syd;t=1" })).text(),
  ).toBe("page");
  await litefs.setPrimary("");
  expect(await (await served(read)).text()).toBe("page");
});

test("a replica asks the primary once about the link of a subscriber that it doesn't have yet", async () => {
  litefs = await startFakeLitefs("dfw-1");
  const token = signUnsubscribeToken("new");
  const open = async () => {
    await UnsubscribePage({ searchParams: Promise.resolve({ token }) });
    return "page";
  };
  expect((await served(open)).headers.get("fly-replay")).toBe("instance=dfw-1");
  const replayed = await served(open, { "fly-replay-src": "instance=syd-1;region=syd;t=1" });
  expect(await replayed.text()).toBe("page");
});

test("a replica asks the primary once about a preview link that it doesn't have yet, but not about a forged one", async () => {
  litefs = await startFakeLitefs("dfw-1");
  const replayOf = async (path: string, headers?: Record<string, string>) => {
    const params = Promise.resolve({ token: path.slice("/preview/".length) });
    const response = await served(async () => (await PreviewPage({ params }), "page"), headers);
    return response.headers.get("fly-replay");
  };
  const path = previewPath("x".repeat(22));
  expect(await replayOf(path)).toBe("instance=dfw-1");
  expect(await replayOf(path, { "fly-replay-src": "instance=syd-1;region=syd;t=1" })).toBeNull();
  expect(await replayOf(path.replace("x", "y"))).toBeNull();
});

test("the primary immediately expires a txid that it lacks", async () => {
  litefs = await startFakeLitefs(null);
  litefs.setPosition(3);
  const response = await served(async () => (await waitForOwnWrites(valueOf(50_000)), "page"));
  expect(response.headers.getSetCookie()).toContain(
    "txid=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax",
  );
  const kept = await served(async () => (await waitForOwnWrites(valueOf(2)), "page"));
  expect(kept.headers.getSetCookie()).toEqual(["a=b"]);
});

test("a forged txid costs nothing", async () => {
  litefs = await startFakeLitefs("dfw-1");
  const startedMs = performance.now();
  for (let i = 0; i < 10; i++)
    for (const forged of ["zzzzzz.zzzzzz.zzz", "ffffffff", `${valueOf(50_000)}x`])
      await waitForOwnWrites(forged);
  expect(performance.now() - startedMs).toBeLessThan(10_000); // thirty waits are 15,000
});
