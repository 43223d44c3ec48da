// Writes one JSON line per event to stdout.

import { env } from "./env.ts";
import { currentRequestContext } from "./request-context.ts";
import { type SpanAttributes, findTelemetry } from "./telemetry.ts";

type LogLevel = "debug" | "info" | "warn" | "error";

const SEVERITY: Record<LogLevel, number> = { debug: 10, info: 20, warn: 30, error: 40 };

/** Longer strings are truncated, so that user input can't inflate a log line. */
const MAX_STRING_LENGTH = 2_000;
/** How many causes of an error are logged. They can form a cycle. */
const MAX_CAUSES = 5;

function toJsonValue(value: unknown, causes = 0): unknown {
  if (value instanceof Error) {
    return {
      name: value.name,
      message: value.message.slice(0, MAX_STRING_LENGTH),
      ...("code" in value && { code: value.code }),
      stack: value.stack
        ?.split("\n")
        .slice(1, 8)
        .map((line) => line.trim()),
      ...(value.cause !== undefined &&
        causes < MAX_CAUSES && { cause: toJsonValue(value.cause, causes + 1) }),
    };
  }
  if (typeof value === "string") return value.slice(0, MAX_STRING_LENGTH);
  if (typeof value === "bigint") return value.toString();
  return value;
}

const isScalar = (value: unknown) => ["string", "number", "boolean"].includes(typeof value);

/** Returns the fields that an OpenTelemetry log record can have as attributes. */
function scalarsOf(line: Record<string, unknown>): SpanAttributes {
  return Object.fromEntries(
    Object.entries(line).filter(([, value]) => isScalar(value)),
  ) as SpanAttributes;
}

/**
 * Writes `{"time","level","event","region","instance","id",…fields}`; `id` is the request ID.
 * Errors are logged with name, message and their first stack frames. Never pass secrets, email
 * addresses or bodies. Errors also go to telemetry, unless `isExported` is false.
 */
export function log(
  level: LogLevel,
  event: string,
  fields: Record<string, unknown> = {},
  isExported = true,
): void {
  if (SEVERITY[level] < SEVERITY[env.LOG_LEVEL]) return;
  const line: Record<string, unknown> = { time: new Date().toISOString(), level, event };
  if (env.FLY_REGION) line.region = env.FLY_REGION;
  if (env.INSTANCE) line.instance = env.INSTANCE;
  const id = currentRequestContext()?.requestId;
  if (id !== undefined) line.id = id;
  for (const [key, value] of Object.entries(fields)) line[key] = toJsonValue(value);
  process.stdout.write(`${JSON.stringify(line)}\n`);
  if (level === "error" && isExported)
    findTelemetry()?.recordError(event, fields.error, scalarsOf(line));
}
