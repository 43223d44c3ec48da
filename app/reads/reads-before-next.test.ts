// Compares the pipeline's responses to beacons with those of Next's routes.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { registerDirectHandlers } from "#app/register-direct-handlers.ts";
import { MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { createPipelineServer } from "#lib/http/pipeline.ts";
import { serializeReaderCookie } from "#lib/members/cookies.ts";
import { issueDwellToken } from "#lib/reading/dwell-token.ts";
import { currentRequest } from "#tests/support/next-headers.ts";
import { startFakeLitefs } from "#tests/support/fake-litefs.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { POST } from "./route.ts";
import { POST as START } from "./start/route.ts";
import { GET } from "./token/route.ts";

vi.mock("next/headers", () => import("#tests/support/next-headers.ts"));

const dir = mkdtempSync(join(tmpdir(), "lectern-direct-reads-"));
const CHROME =
  "Mozilla/5.0 (X11; Linux x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36";
const server = createPipelineServer((_, response) => response.writeHead(500).end("Next"));
let origin: string;

beforeAll(async () => {
  mkdirSync(join(dir, "blog"));
  writeFileSync(
    join(dir, "blog", "a-post.mdx"),
    `---\ntitle: A post\ndate: 2026-11-01\ndescription: One\n---\n\n${"word ".repeat(300)}\n`,
  );
  overrideEnv({ CONTENT_DIR: dir, TRUST_PROXY: "fly" });
  registerDirectHandlers();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
// Each test has a new database.
beforeEach(async () => {
  await post("route", { body: beacon({ token: used }), headers: { cookie: knownReader } });
});
afterAll(() => {
  overrideEnv({ CONTENT_DIR: undefined, TRUST_PROXY: undefined });
  server.closeAllConnections();
  server.close();
  rmSync(dir, { recursive: true, force: true });
});

const createToken = (agoMs = 10 * MINUTE_MS) =>
  issueDwellToken({ slug: "a-post", nowMs: nowMs() - agoMs });
const beacon = (fields: object = {}) =>
  JSON.stringify({ token: createToken(), slug: "a-post", ...fields });
const used = createToken();
const knownReader = serializeReaderCookie("known").split(";")[0]!;

interface Sent {
  body: string;
  headers?: Record<string, string>;
  isStart?: boolean;
}
const cases: [string, () => Sent][] = [
  ["a reader's second beacon", () => ({ body: beacon(), headers: { cookie: knownReader } })],
  [
    "a forged reader",
    () => ({ body: beacon(), headers: { cookie: `reader=x.${"A".repeat(43)}` } }),
  ],
  ["a used token", () => ({ body: beacon({ token: used }) })],
  ["a token that is too early", () => ({ body: beacon({ token: createToken(0) }) })],
  ["a forged token", () => ({ body: beacon({ token: `${createToken().slice(0, -3)}AAA` }) })],
  ["an unknown post", () => ({ body: beacon({ slug: "nowhere" }) })],
  ["another field", () => ({ body: beacon({ userId: "me" }) })],
  ["no JSON", () => ({ body: "hello" })],
  ["an empty body", () => ({ body: "" })],
  ["a body that is too large", () => ({ body: "x".repeat(3_000) })],
  ["a form", () => ({ body: beacon(), headers: { "content-type": "multipart/form-data" } })],
  ["another site", () => ({ body: beacon(), headers: { "sec-fetch-site": "cross-site" } })],
  ["no origin", () => ({ body: beacon(), headers: { "sec-fetch-site": "none" } })],
  ["a bot", () => ({ body: beacon(), headers: { "user-agent": "Googlebot/2.1" } })],
  ["a view that started", () => ({ isStart: true, body: beacon({ from: "t.co" }) })],
  ["a start that is too early", () => ({ isStart: true, body: beacon({ token: createToken(0) }) })],
  ["a bot's start", () => ({ isStart: true, body: beacon(), headers: { "user-agent": "curl/8" } })],
  ["JSON errors", () => ({ body: "null", headers: { accept: "application/json" } })],
];

let address = 0;
/** Sends the request to `target`, from a new address, because rate limits are per process. */
async function post(target: "route" | "pipeline", { body, headers = {}, isStart = false }: Sent) {
  const all = {
    "sec-fetch-site": "same-origin",
    "user-agent": CHROME,
    "content-type": "text/plain;charset=UTF-8",
    "fly-client-ip": `198.18.${++address}.1`,
    ...headers,
  };
  currentRequest.cookie = headers.cookie ?? "";
  const init = { method: "POST", body, headers: all };
  const url = `${origin}/reads${isStart ? "/start" : ""}`;
  const response = await (target === "route"
    ? (isStart ? START : POST)(new Request(url, init))
    : fetch(url, init));
  const text = await response.text();
  const header = (name: string) => response.headers.get(name);
  return {
    status: response.status,
    text,
    read: header("x-read"),
    type: header("content-type"),
    cache: header("cache-control"),
    retryAfter: header("retry-after"),
    // The ID of a new reader is random.
    cookie: header("set-cookie")?.replace(/^reader=[\w-]+\.[\w-]{43}/, "reader=…"),
  };
}

test.each(cases)(
  "%s gets the same response from the pipeline as from the route",
  async (_, make) => {
    const [fromRoute, fromPipeline] = [await post("route", make()), await post("pipeline", make())];
    expect(fromPipeline).toEqual(fromRoute);
    expect(fromPipeline.status).not.toBe(500);
  },
);

test("a new reader's beacon counts once and sets a cookie, and a page's token is the route's", async () => {
  expect(await post("pipeline", { body: beacon() })).toMatchObject({
    status: 204,
    read: "counted",
    cookie: "reader=…; Path=/; Max-Age=34560000; HttpOnly; SameSite=Lax",
  });
  const [direct, route] = await Promise.all([
    fetch(`${origin}/reads/token?slug=a-post`),
    GET(new Request(`${origin}/reads/token?slug=a-post`)),
  ]);
  expect([
    direct!.status,
    direct!.headers.get("content-type"),
    direct!.headers.get("cache-control"),
  ]).toEqual([200, route!.headers.get("content-type"), "no-store"]);
  const [a, b] = [await direct!.json(), await route!.json()] as { token: string; minMs: number }[];
  expect(a!.minMs).toBe(b!.minMs);
  expect((await fetch(`${origin}/reads/token?slug=nowhere`)).status).toBe(404);
});

test("on a replica, the pipeline replays a beacon to the primary, or refuses it without one", async () => {
  const litefs = await startFakeLitefs("dfw-1");
  litefs.setHeartbeatAge(100);
  try {
    const headers = { "sec-fetch-site": "same-origin", "user-agent": CHROME };
    const init = {
      method: "POST",
      body: beacon(),
      headers: { ...headers, "content-type": "text/plain" },
    };
    const replayed = await fetch(`${origin}/reads`, init);
    expect([replayed.status, replayed.headers.get("fly-replay"), await replayed.text()]).toEqual([
      409,
      expect.stringMatching(/^instance=dfw-1(;|$)/),
      "Fly Replay",
    ]);
    await litefs.setPrimary("");
    const refused = await fetch(`${origin}/reads`, init);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "5"]);
  } finally {
    await litefs.stop();
  }
});
