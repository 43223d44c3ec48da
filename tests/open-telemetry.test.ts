import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { trace } from "@opentelemetry/api";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { insertUser } from "./support/factories.ts";
import { overrideEnv } from "./support/override-env.ts";
import { startOtlpCollector } from "./support/otlp-collector.ts";
import { serveHttp } from "./support/test-server.ts";
import { startEdgeFixture } from "./support/cluster/edge-fixture.ts";
import { AppError } from "#lib/core/errors.ts";
import { log } from "#lib/core/log.ts";
import { startOpenTelemetry } from "#lib/core/open-telemetry.ts";
import { findTelemetry } from "#lib/core/telemetry.ts";
import { read, write } from "#lib/db/database.ts";
import { createPipelineServer } from "#lib/http/pipeline.ts";
import { reportRequestError } from "#lib/http/report-request-error.ts";
import { fetchText } from "#lib/outbound/fetch/guarded-fetch.ts";
import { isReplay, replayTo } from "#lib/replication/ensure-primary.ts";

let collector: Awaited<ReturnType<typeof startOtlpCollector>>;

beforeAll(async () => {
  collector = await startOtlpCollector();
  overrideEnv({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin,
    OTEL_EXPORTER_OTLP_HEADERS: "api-key=secret",
    OTEL_SERVICE_NAME: "a-site",
  });
  startOpenTelemetry();
});
beforeEach(() => {
  for (const list of [collector.spans, collector.logs, collector.headers]) list.length = 0;
});
afterAll(() => collector.close());

/** Serves `handler` behind the pipeline. As in Next, an error becomes a 500. */
async function serveSite(
  handler: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
) {
  const server = createPipelineServer((request, response) => {
    if (request.url === "/healthz") return void response.end("ok");
    handler(request, response).catch((error: unknown) => {
      if (isReplay(error)) return;
      reportRequestError(error, { method: "GET", routePath: "/x", routeType: "render" });
      response.writeHead(500).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function collectSpans() {
  await findTelemetry()!.flush();
  return collector.spans;
}

test("a request is one trace with its reads, writes and outgoing requests", async () => {
  const other = await serveHttp((_, response) =>
    response.writeHead(200, { "content-type": "text/plain" }).end("hello"),
  );
  overrideEnv({ FETCH_ALLOW_PRIVATE: other.hostAndPort });
  const site = await serveSite(async (_, response) => {
    const user = await write((tx) => insertUser(tx));
    await read((tx) => tx.user.findUnique({ where: { id: user.id } }));
    await fetchText(`${other.origin}/secret-token`);
    response.end("page");
  });
  await fetch(`${site.url}/blog/a-post?email=a@example.com`);
  site.stop();
  await other.close();

  const spans = await collectSpans();
  const root = spans.find(({ kind }) => kind === 2)!;
  expect(root).toMatchObject({
    name: "GET /blog/a-post",
    resource: { "service.name": "a-site" },
    attributes: { "http.route": "/blog/a-post", "http.response.status_code": 200 },
  });
  expect(root.parentSpanId).toBeUndefined();
  expect(
    spans.filter((span) => span !== root).map(({ name, parentSpanId }) => [name, parentSpanId]),
  ).toEqual([
    ["write", root.spanId],
    ["read", root.spanId],
    [`GET ${other.hostAndPort}`, root.spanId],
  ]);
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  expect(JSON.stringify(spans)).not.toMatch(/secret-token|example\.com/);
  expect(collector.headers[0]).toMatchObject({ "api-key": "secret", path: "/v1/traces" });
});

test("the URLs that Next adds to its spans are not exported", async () => {
  const tracer = trace.getTracer("next.js");
  const target = "/login/confirm?token=secret-token";
  tracer.startActiveSpan("GET", { attributes: { "http.target": target } }, (span) => {
    span.setAttribute("http.route", "/login/confirm");
    span.end();
  });
  const [span] = await collectSpans();
  expect(span!.attributes).toMatchObject({ "http.route": "/login/confirm" });
  expect(JSON.stringify(span)).not.toContain("secret-token");
});

test("a replayed write is one trace across both instances", async () => {
  overrideEnv({ TRUST_PROXY: "fly" });
  const replica = await serveSite(async () => replayTo("dfw-1", "write"));
  const primary = await serveSite(async (_, response) => {
    await write((tx) => insertUser(tx));
    response.end("written");
  });
  const { edge, health } = await startEdgeFixture("ams", [
    { name: "ams-1", region: "ams", host: "127.0.0.1", port: replica.port },
    { name: "dfw-1", region: "dfw", host: "127.0.0.1", port: primary.port },
  ]);
  // A visitor's own trace context is ignored.
  const response = await fetch(`${edge.url}/login`, {
    method: "POST",
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`,
    },
    body: "a=b",
  });
  expect(await response.text()).toBe("written");
  await edge.stop();
  health.stop();
  replica.stop();
  primary.stop();
  overrideEnv({ TRUST_PROXY: undefined });

  const spans = await collectSpans();
  const replayed = spans.find(({ attributes }) => attributes["lectern.replayed"])!;
  const received = spans.find(({ parentSpanId, kind }) => kind === 2 && parentSpanId)!;
  expect(replayed).toMatchObject({ name: "POST /login", kind: 2 });
  expect(replayed.parentSpanId).toBeUndefined();
  expect(replayed.traceId).not.toBe("a".repeat(32));
  expect(replayed.attributes["http.response.status_code"]).toBe(409);
  expect(received).toMatchObject({ name: "POST /login", parentSpanId: replayed.spanId });
  expect(spans.find(({ name }) => name === "write")!.parentSpanId).toBe(received.spanId);
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
});

test("without Fly's proxy, a forged fly-replay-src joins no trace", async () => {
  const site = await serveSite((_, response) => Promise.resolve(void response.end("page")));
  await fetch(`${site.url}/about`, {
    headers: { "fly-replay-src": `instance=x;state=1-00-${"a".repeat(32)}-${"b".repeat(16)}-01` },
  });
  site.stop();
  const [span] = await collectSpans();
  expect(span!.traceId).not.toBe("a".repeat(32));
});

test("an error is exported with its trace, and a refusal is not", async () => {
  const site = await serveSite((request) =>
    Promise.reject(
      request.url === "/about"
        ? Object.assign(new TypeError("broken"), { digest: "123" })
        : new AppError("not_found", "No such post."),
    ),
  );
  expect((await fetch(`${site.url}/about`)).status).toBe(500);
  await fetch(`${site.url}/blog/gone`);
  site.stop();
  log("error", "outbox.stopped", { error: new Error("later"), attempts: 3 });

  const spans = await collectSpans();
  const failed = spans.find(({ name }) => name === "GET /about")!;
  expect(failed.status.code).toBe(2);
  expect(collector.logs).toHaveLength(2);
  expect(collector.logs[0]).toMatchObject({
    traceId: failed.traceId,
    spanId: failed.spanId,
    severityNumber: 17,
    body: { stringValue: "request.failed: broken" },
    attributes: { "exception.type": "TypeError", "error.reference": "123" },
  });
  expect(collector.logs[0]!.attributes["exception.stacktrace"]).toContain("open-telemetry.test");
  expect(collector.logs[1]).toMatchObject({
    body: { stringValue: "outbox.stopped: later" },
    attributes: { event: "outbox.stopped", attempts: expect.anything() },
  });
});

test("health checks and queries outside a request create no traces", async () => {
  await read((tx) => tx.user.count());
  const site = await serveSite((_, response) => Promise.resolve(void response.end("page")));
  await fetch(`${site.url}/healthz`);
  site.stop();
  expect(await collectSpans()).toEqual([]);
});
