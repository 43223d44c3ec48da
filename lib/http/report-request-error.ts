// Exports the errors that Next catches in pages, handlers and actions.

import { isAppError } from "#lib/core/errors.ts";
import { currentRequestContext } from "#lib/core/request-context.ts";
import { findTelemetry } from "#lib/core/telemetry.ts";
import { isReplay } from "#lib/replication/ensure-primary.ts";

interface ErrorLocation {
  readonly method: string;
  /** Next's route file, such as /blog/[slug]. */
  readonly routePath: string;
  readonly routeType: string;
}

/** Exports `error`, unless it is a replay or an expected refusal (AppError). */
export function reportRequestError(error: unknown, location: ErrorLocation): void {
  const context = currentRequestContext();
  if (isReplay(error) || isAppError(error) || context?.isReplayedElsewhere) return;
  const digest = (error as { digest?: unknown } | null)?.digest;
  findTelemetry()?.recordError("request.failed", error, {
    "http.request.method": location.method,
    "http.route": location.routePath,
    "next.route_type": location.routeType,
    // The reference that the error page shows.
    ...(typeof digest === "string" && { "error.reference": digest }),
    ...(context?.requestId && { "lectern.request_id": context.requestId }),
  });
}
