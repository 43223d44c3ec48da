import { type IncomingMessage, type ServerResponse, request as ask } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createPipelineServer } from "./pipeline.ts";
import { renderMetrics, resetMetrics } from "#lib/core/metrics.ts";
import { type RequestContext, currentRequestContext } from "#lib/core/request-context.ts";
import { overrideEnv } from "#tests/support/override-env.ts";

const lines: Record<string, unknown>[] = [];

beforeEach(() => {
  resetMetrics();
  lines.length = 0;
  overrideEnv({ LOG_REQUESTS: "on", LOG_LEVEL: "info", INSTANCE: "ams-1", FLY_REGION: "ams" });
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    for (const line of String(text).split("\n"))
      if (line.startsWith("{")) lines.push(JSON.parse(line) as Record<string, unknown>);
    return true;
  });
});
afterEach(() => {
  overrideEnv({
    LOG_REQUESTS: undefined,
    LOG_LEVEL: "error",
    INSTANCE: undefined,
    FLY_REGION: undefined,
    TRUST_PROXY: undefined,
    INSTANCE_BANNER: undefined,
  });
});

type Answer = (request: IncomingMessage, response: ServerResponse, context: RequestContext) => void;

const page: Answer = (_, response) => {
  response.setHeader("content-type", "text/html; charset=utf-8");
  response.end("<p>");
};

/**
 * Sends one request through the pipeline. Resolves to the response's headers once its log line is
 * due.
 */
async function visit(
  path: string,
  {
    method = "GET",
    headers = {},
    answer = page,
  }: { method?: string; headers?: Record<string, string>; answer?: Answer } = {},
): Promise<Record<string, unknown>> {
  const over = Promise.withResolvers<void>();
  const server = createPipelineServer((request, response) => {
    response.once("close", () => over.resolve());
    answer(request, response, currentRequestContext()!);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const got = await new Promise<IncomingMessage>((resolve, reject) =>
    ask(
      {
        port: (server.address() as AddressInfo).port,
        host: "127.0.0.1",
        path,
        method,
        headers,
        agent: false,
      },
      resolve,
    )
      .once("error", reject)
      .end(),
  );
  got.resume();
  await over.promise;
  server.close();
  return got.headers;
}

test("a request is logged in one line without personal data", async () => {
  await visit("/blog/one-door-for-writes?email=ada@example.com&token=secret", {
    headers: {
      cookie: "session=secret",
      "user-agent": "secret",
      referer: "https://example.com/secret",
    },
  });
  expect(lines).toHaveLength(1);
  expect(Object.keys(lines[0]!).sort()).toEqual([
    "event",
    "id",
    "instance",
    "level",
    "method",
    "ms",
    "path",
    "region",
    "role",
    "status",
    "time",
  ]);
  expect(lines[0]).toMatchObject({
    level: "info",
    event: "request",
    method: "GET",
    path: "/blog/one-door-for-writes",
    status: 200,
    instance: "ams-1",
    region: "ams",
    role: "primary",
  });
  // The ID is random hex, which can contain any three letters.
  expect(JSON.stringify(lines.map((line) => ({ ...line, id: null })))).not.toMatch(/secret|ada/);
});

test("Fly's request ID is used only behind Fly's proxy, and only if it is well-formed", async () => {
  const headers = { "fly-request-id": "01JABC-ams" };
  await visit("/", { headers });
  overrideEnv({ TRUST_PROXY: "fly" });
  await visit("/", { headers });
  await visit("/", { headers: { "fly-request-id": 'x"}{"' } });
  await visit("/", { headers: { "fly-request-id": "x".repeat(2_000) } });
  const ids = lines.map(({ id }) => String(id));
  expect(ids[1]).toBe("01JABC-ams");
  for (const id of [ids[0], ids[2], ids[3]]) expect(id).toMatch(/^[0-9a-f-]{36}$/);
});

test("a replay's source is used only behind Fly's proxy", async () => {
  const headers = { "fly-replay-src": "instance=syd-1;region=syd;t=1;state=2" };
  await visit("/me", { headers });
  overrideEnv({ TRUST_PROXY: "fly" });
  await visit("/me", { headers });
  await visit("/me", { headers: { "fly-replay-src": 'instance=a"b;region=syd' } });
  expect(lines.map(({ replayedFrom }) => replayedFrom)).toEqual([undefined, "syd-1", undefined]);
});

test("a write logs its transaction, and a disconnected client is logged", async () => {
  await visit("/reads", {
    method: "POST",
    answer: (_, response, context) => void ((context.committedTxid = 7), response.end()),
  });
  await visit("/about", {
    answer: (_, response) => {
      response.flushHeaders();
      setImmediate(() => response.destroy());
    },
  }).catch(() => {});
  await vi.waitFor(() => expect(lines).toHaveLength(2), 10_000);
  expect(lines[0]).toMatchObject({ method: "POST", path: "/reads", txid: 7 });
  expect(lines[1]).toMatchObject({ path: "/about", aborted: true });
});

test("static files and healthy health checks are not logged, failing ones are", async () => {
  await visit("/_next/static/x.js");
  await visit("/images/x.webp");
  await visit("/healthz");
  await visit("/readyz", { answer: (_, response) => void response.writeHead(503).end() });
  expect(lines.map(({ path, status }) => [path, status])).toEqual([["/readyz", 503]]);
  expect(renderMetrics()).toContain('lectern_requests_total{route="static",status="2xx"} 2');
});

test("requests are not logged by default", async () => {
  overrideEnv({ LOG_REQUESTS: undefined });
  await visit("/");
  expect(lines).toEqual([]);
  expect(renderMetrics()).toContain('lectern_request_seconds_count{route="home"} 1');
});

test("Server-Timing has duration and region; the instance only with INSTANCE_BANNER or for admins", async () => {
  const timing = /^total;dur=\d+(\.\d)?, region;desc="ams"$/;
  expect((await visit("/"))["server-timing"]).toMatch(timing);
  expect(
    (
      await visit("/about", {
        answer: (_, response) => void ((response.statusCode = 304), response.end()),
      })
    )["server-timing"],
  ).toMatch(timing);
  expect(
    (
      await visit("/feed.xml", {
        answer: (_, response) => void response.setHeader("content-type", "application/xml").end(),
      })
    )["server-timing"],
  ).toBeUndefined();
  const named = await visit("/admin", {
    answer: (request, response, context) => {
      context.databaseReadMs = 1.234;
      context.serverTimings.push('instance;desc="ams-1"');
      page(request, response, context);
    },
  });
  expect(named["server-timing"]).toMatch(
    /^total;dur=[\d.]+, db;dur=1.2, region;desc="ams", instance;desc="ams-1"$/,
  );
  overrideEnv({ INSTANCE_BANNER: "on" });
  expect((await visit("/"))["server-timing"]).toMatch(/, instance;desc="ams-1"$/);
});
