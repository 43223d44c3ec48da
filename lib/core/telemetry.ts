// Traces requests and their work, and exports errors, with OpenTelemetry. Imports none of its
// packages: instrumentation.ts loads them only if OTEL_EXPORTER_OTLP_ENDPOINT is set.

import { peekSingleton, singleton } from "./singleton.ts";

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export interface Span {
  setAttributes(attributes: SpanAttributes): void;
  /** Sets the span's final name, such as one with the route. */
  rename(name: string): void;
  /** Marks the span as failed. Records `error` as an exception, if there is one. */
  fail(error?: unknown): void;
  end(): void;
}

export interface SpanOptions {
  readonly kind: "server" | "client";
  readonly attributes: SpanAttributes;
  /** The remote parent in W3C format (https://www.w3.org/TR/trace-context/#traceparent-header). */
  readonly traceparent?: string;
}

export interface Telemetry {
  /** Runs `fn` with a new span as the current one; `fn` ends the span. */
  runInSpan<T>(name: string, options: SpanOptions, fn: (span: Span) => T): T;
  /** Returns the current span in W3C format; null without one. */
  currentTraceparent(): string | null;
  /** Exports a log record that belongs to the current span, with `error` as its exception. */
  recordError(event: string, error: unknown, attributes: SpanAttributes): void;
  /** Sends buffered data. Never rejects, and takes at most a few seconds. */
  flush(): Promise<void>;
}

const NAME = "telemetry";

/** Returns the telemetry that setTelemetry() set in this process; undefined if it is off. */
export function findTelemetry(): Telemetry | undefined {
  return peekSingleton<Telemetry>(NAME);
}

export function setTelemetry(telemetry: Telemetry): void {
  singleton(NAME, () => telemetry);
}

/** Runs `fn` in a client span that fails if `fn` rejects. If telemetry is off, only calls `fn`. */
export async function withSpan<T>(
  name: string,
  attributes: SpanAttributes,
  fn: () => Promise<T>,
): Promise<T> {
  const telemetry = findTelemetry();
  if (!telemetry) return fn();
  return telemetry.runInSpan(name, { kind: "client", attributes }, async (span) => {
    try {
      return await fn();
    } catch (error) {
      span.fail(error);
      throw error;
    } finally {
      span.end();
    }
  });
}

/**
 * Like withSpan(), but only as part of a trace. Background jobs query the database every second,
 * and each query would become a trace.
 */
export function withChildSpan<T>(
  name: string,
  attributes: SpanAttributes,
  fn: () => Promise<T>,
): Promise<T> {
  return findTelemetry()?.currentTraceparent() ? withSpan(name, attributes, fn) : fn();
}
