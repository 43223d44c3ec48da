// Starts what runs beside requests, before the server takes its first one.

export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME !== "nodejs") return;
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
  const { startDeliveryPolling } = await import("./lib/outbound/outbox/outbox.ts");
  startDeliveryPolling();
  const { startBackupAlerts } = await import("./lib/outbound/backup-alerts.ts");
  startBackupAlerts();
}
