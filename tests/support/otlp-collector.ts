// Receives OTLP/HTTP over JSON on loopback, as a collector does, and keeps spans and log records.

import { text } from "node:stream/consumers";
import { serveHttp } from "./test-server.ts";

interface KeyValue {
  readonly key: string;
  readonly value: Readonly<Record<string, string | number | boolean>>;
}
interface ExportedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  /** OTLP's SpanKind: 1 internal, 2 server, 3 client. */
  readonly kind: number;
  readonly attributes: KeyValue[];
  readonly status: { readonly code?: number };
}
interface ExportedLog {
  readonly traceId?: string;
  readonly spanId?: string;
  readonly severityNumber: number;
  readonly body: { readonly stringValue: string };
  readonly attributes: KeyValue[];
}
interface ExportRequest {
  readonly resourceSpans?: {
    readonly resource: { readonly attributes: KeyValue[] };
    readonly scopeSpans: { readonly spans: ExportedSpan[] }[];
  }[];
  readonly resourceLogs?: {
    readonly resource: { readonly attributes: KeyValue[] };
    readonly scopeLogs: { readonly logRecords: ExportedLog[] }[];
  }[];
}

type Attributes = Readonly<Record<string, string | number | boolean>>;
export interface CollectedSpan extends Omit<ExportedSpan, "attributes"> {
  readonly resource: Attributes;
  readonly attributes: Attributes;
}
export interface CollectedLog extends Omit<ExportedLog, "attributes"> {
  readonly resource: Attributes;
  readonly attributes: Attributes;
}

const toAttributes = (list: readonly KeyValue[]): Attributes =>
  Object.fromEntries(list.map(({ key, value }) => [key, Object.values(value)[0]!]));

/** Starts a collector that adds to `spans`. `origin` is for OTEL_EXPORTER_OTLP_ENDPOINT. */
export async function startOtlpCollector(spans: CollectedSpan[] = []) {
  const logs: CollectedLog[] = [];
  const headers: Record<string, unknown>[] = [];
  const server = await serveHttp((request, response) => {
    void text(request).then((body) => {
      headers.push({ ...request.headers, path: request.url });
      const { resourceSpans = [], resourceLogs = [] } = JSON.parse(body) as ExportRequest;
      for (const { resource, scopeSpans } of resourceSpans)
        for (const span of scopeSpans.flatMap((scope) => scope.spans))
          spans.push({
            ...span,
            resource: toAttributes(resource.attributes),
            attributes: toAttributes(span.attributes),
          });
      for (const { resource, scopeLogs } of resourceLogs)
        for (const record of scopeLogs.flatMap((scope) => scope.logRecords))
          logs.push({
            ...record,
            resource: toAttributes(resource.attributes),
            attributes: toAttributes(record.attributes),
          });
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  });
  return { origin: server.origin, spans, logs, headers, close: () => server.close() };
}
