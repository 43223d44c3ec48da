// Starts background work, before the server accepts its first request.

import type { Instrumentation } from "next";

export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME !== "nodejs") return;
  // First, so that errors of the others are exported too.
  if (process.env.OTEL_EXPORTER_OTLP_ENDPOINT) {
    const { startOpenTelemetry } = await import("./lib/core/open-telemetry.ts");
    startOpenTelemetry();
  }
  const { reportMissingConfiguration } = await import("./lib/http/site-url.ts");
  reportMissingConfiguration();
  const { announceMailbox } = await import("./lib/outbound/mail/mailbox-access.ts");
  announceMailbox();
  const { startProcessMetrics } = await import("./lib/http/process-metrics.ts");
  startProcessMetrics();
  const { startReplication } = await import("./lib/replication/start-replication.ts");
  await startReplication();
  const { startCatalog } = await import("./lib/posts/catalog/site-catalog.ts");
  startCatalog();
  const { startPersonalParts } = await import("./app/personal-parts.tsx");
  startPersonalParts();
  const { provideAdminCheck } = await import("./lib/http/buffer-bodies.ts");
  const { hasAdminSession } = await import("./lib/members/viewer.ts");
  provideAdminCheck(hasAdminSession);
  if (process.env.NODE_ENV === "production") {
    // In development, Next compiles their routes again when they change.
    const { registerDirectHandlers } = await import("./app/register-direct-handlers.ts");
    registerDirectHandlers();
  }
  const { startDeliveryPolling } = await import("./lib/outbound/outbox/outbox.ts");
  startDeliveryPolling();
  const { startNewsletterPolling } = await import("./lib/newsletter/poll-newsletter.ts");
  startNewsletterPolling();
  const { startTranscriptionPolling } = await import("./lib/calls/transcribe.ts");
  startTranscriptionPolling();
  const { startBackupAlerts } = await import("./lib/outbound/backup-alerts.ts");
  startBackupAlerts();
}

/**
 * Exports errors of pages, handlers and actions if OpenTelemetry is on. Next logs them in any case.
 * To use a service's own SDK, report `error` here: docs/runbooks/observability.md.
 */
export const onRequestError: Instrumentation.onRequestError = async (error, request, context) => {
  if (process.env.NEXT_RUNTIME !== "nodejs" || !process.env.OTEL_EXPORTER_OTLP_ENDPOINT) return;
  const { reportRequestError } = await import("./lib/http/report-request-error.ts");
  reportRequestError(error, { method: request.method, ...context });
};
