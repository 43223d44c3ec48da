// Exports spans and errors over OTLP/HTTP. The only file that imports the OpenTelemetry packages,
// which use 25 MB of memory; instrumentation.ts imports it only if necessary.

import {
  type Context,
  DiagLogLevel,
  ROOT_CONTEXT,
  type Span as OtelSpan,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  context,
  diag,
  trace,
} from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type SpanProcessor,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { env } from "./env.ts";
import { currentInstance } from "./instance.ts";
import { log } from "./log.ts";
import { type Span, type Telemetry, setTelemetry } from "./telemetry.ts";

const EXPORT_TIMEOUT_MS = 5_000;
/** If the collector is down, at most this many spans stay in memory, about 2 MB. */
const MAX_QUEUED_SPANS = 2_048;
/** "ERROR" in OpenTelemetry's log data model. */
const SEVERITY_ERROR = 17;
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Starts the export. Next's own spans appear in the same traces. Call it once per process. */
export function startOpenTelemetry(): void {
  const resource = resourceFromAttributes({
    "service.name": env.OTEL_SERVICE_NAME,
    "service.instance.id": currentInstance(),
    ...(env.DEPLOYMENT_ID && { "service.version": env.DEPLOYMENT_ID }),
    ...(env.FLY_REGION && { "cloud.region": env.FLY_REGION }),
  });
  diag.setLogger(
    {
      ...{ verbose: () => {}, debug: () => {}, info: () => {}, warn: () => {} },
      error: (message) => log("warn", "telemetry.export_failed", { reason: message }),
    },
    { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true },
  );
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const traces = new TracerProvider({
    resource,
    sampler: new ParentBasedSampler({
      root: new TraceIdRatioBasedSampler(env.OTEL_TRACES_SAMPLER_ARG),
    }),
    spanProcessors: [
      new AddressRemover(),
      new BatchSpanProcessor({
        exporter: new OTLPTraceExporter({ timeoutMillis: EXPORT_TIMEOUT_MS }),
        maxQueueSize: MAX_QUEUED_SPANS,
        exportTimeoutMillis: EXPORT_TIMEOUT_MS,
      }),
    ],
  });
  trace.setGlobalTracerProvider(traces);
  const logs = new LoggerProvider({
    resource,
    processors: [
      new BatchLogRecordProcessor({
        exporter: new OTLPLogExporter({ timeoutMillis: EXPORT_TIMEOUT_MS }),
        exportTimeoutMillis: EXPORT_TIMEOUT_MS,
      }),
    ],
  });
  setTelemetry(createTelemetry(traces, logs));
}

/**
 * Removes the URLs that Next adds, because they can contain tokens and email addresses. Keeps the
 * routes.
 */
class AddressRemover implements SpanProcessor {
  onStart(): void {}
  onEnd({ attributes }: { attributes: Record<string, unknown> }): void {
    for (const name of ["http.target", "http.url", "url.full"]) delete attributes[name];
  }
  async forceFlush(): Promise<void> {}
  async shutdown(): Promise<void> {}
}

function createTelemetry(traces: TracerProvider, logs: LoggerProvider): Telemetry {
  const tracer = traces.getTracer("lectern");
  const logger = logs.getLogger("lectern");
  return {
    runInSpan(name, { kind, attributes, traceparent }, fn) {
      return tracer.startActiveSpan(
        name,
        { kind: kind === "server" ? SpanKind.SERVER : SpanKind.CLIENT, attributes },
        kind === "server" ? remoteContext(traceparent) : context.active(),
        (span) => fn(wrapSpan(span)),
      );
    },
    currentTraceparent() {
      const current = trace.getSpanContext(context.active());
      return current
        ? `00-${current.traceId}-${current.spanId}-${(current.traceFlags & TraceFlags.SAMPLED).toString(16).padStart(2, "0")}`
        : null;
    },
    recordError(event, error, attributes) {
      const exception = error instanceof Error ? error : null;
      logger.emit({
        severityNumber: SEVERITY_ERROR,
        severityText: "ERROR",
        eventName: event,
        body: exception ? `${event}: ${exception.message}` : event,
        attributes: {
          ...attributes,
          ...(exception && {
            "exception.type": exception.name,
            "exception.message": exception.message,
            "exception.stacktrace": exception.stack,
          }),
        },
        context: context.active(),
      });
    },
    async flush() {
      await Promise.allSettled([
        traces.forceFlush({ timeoutMillis: EXPORT_TIMEOUT_MS }),
        logs.forceFlush({ timeoutMillis: EXPORT_TIMEOUT_MS }),
      ]);
    },
  };
}

/** Returns a context below the remote span `traceparent`; the root context if it is malformed. */
function remoteContext(traceparent: string | undefined): Context {
  const [, traceId = "", spanId = "", flags = "00"] = TRACEPARENT.exec(traceparent ?? "") ?? [];
  return traceId === ""
    ? ROOT_CONTEXT
    : trace.setSpanContext(ROOT_CONTEXT, {
        traceId,
        spanId,
        traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED,
        isRemote: true,
      });
}

const wrapSpan = (span: OtelSpan): Span => ({
  setAttributes: (attributes) => void span.setAttributes(attributes),
  rename: (name) => void span.updateName(name),
  fail(error) {
    if (error !== undefined) span.recordException(error instanceof Error ? error : String(error));
    span.setStatus({ code: SpanStatusCode.ERROR });
  },
  end: () => span.end(),
});
