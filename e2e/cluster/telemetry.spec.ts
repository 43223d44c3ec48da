// Tests that a write replayed from a replica is one trace on both nodes, in the collector.

import { requestLoginEmail } from "#tests/support/cluster/browser-visitor.ts";
import { expect, test as base } from "#tests/support/cluster/fixtures.ts";
import { type CollectedSpan, startOtlpCollector } from "#tests/support/otlp-collector.ts";
import { waitUntil } from "#cli/cluster/wait-until.ts";

const spans: CollectedSpan[] = [];

const test = base.extend({
  siteEnv: [
    // oxlint-disable-next-line no-empty-pattern -- Playwright reads a fixture's dependencies from the pattern.
    async ({}, use) => {
      const collector = await startOtlpCollector(spans);
      await use({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin });
      await collector.close();
    },
    { scope: "worker" },
  ],
});

test("a login email requested through ams is one trace: the replica's replay, and the primary's write", async ({
  cluster,
}) => {
  await cluster.waitUntilInSync();
  const primary = await cluster.waitForPrimary();
  const { status } = await requestLoginEmail(cluster.getEdgeUrl("ams"), "ada@example.com");
  expect(status).toBe(303);

  const isOn = (node: string) => (span: CollectedSpan) =>
    span.resource["service.instance.id"] === node;
  /** Returns the spans of both nodes; null until all that matter have arrived. */
  function findTrace() {
    const replay = spans.find((span) => span.attributes["lectern.replayed"] && isOn("ams-1")(span));
    const trace = spans.filter(({ traceId }) => traceId === replay?.traceId);
    const onReplica = new Set(trace.filter(isOn("ams-1")).map(({ spanId }) => spanId));
    const received = trace.find(
      (span) => isOn(primary.name)(span) && onReplica.has(span.parentSpanId ?? ""),
    );
    const write = trace.find(({ name }) => name === "write");
    return replay && received && write ? { replay, received, write } : null;
  }
  // Spans are sent every five seconds.
  const found = await waitUntil("both nodes have sent the trace", 20_000, findTrace);
  const { replay, received, write } = found!;
  expect(replay).toMatchObject({
    name: "POST /login",
    attributes: { "http.response.status_code": 409 },
  });
  expect(received).toMatchObject({
    name: "POST /login",
    attributes: { "http.response.status_code": 303 },
  });
  expect(isOn(primary.name)(write)).toBe(true);
});
