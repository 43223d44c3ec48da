// Logs what Next and packages write to the console as one JSON line per call, like every event.

import { format } from "node:util";
import { log } from "./log.ts";
import { currentRequestContext } from "./request-context.ts";

/** Replaces console.error and console.warn, which write several lines for an error. */
export function logConsole(): void {
  console.error = (...values: unknown[]) => write("error", values);
  console.warn = (...values: unknown[]) => write("warn", values);
}

function write(level: "error" | "warn", values: readonly unknown[]): void {
  const error = values.find((value) => value instanceof Error);
  const text = format(...values.filter((value) => value !== error)).trim();
  const context = currentRequestContext();
  // Next reports the thrown replay as an error. replayTo() logs it.
  if (context?.isReplayedElsewhere) return;
  if (context?.isServerAction && !context.hasActionStarted) {
    // The client sent a form that Next can't read. lib/http/failed-action.ts refuses it.
    if (!context.isRefusalLogged)
      log("warn", "action.unreadable", { reason: error?.message ?? text });
    context.isRefusalLogged = true;
    return;
  }
  // Node writes its warnings with console.error. Telemetry gets errors of requests elsewhere.
  const isNodeWarning = /^\(node:\d+\) /.test(text);
  log(
    isNodeWarning ? "warn" : level,
    "console",
    { ...(text !== "" && { text }), ...(error && { error }) },
    false,
  );
}
