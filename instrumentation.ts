// Before the server takes its first request.

export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME !== "nodejs") return;
  const { installRequestContextHook: followRequests } =
    await import("./lib/http/request-context-hook.ts");
  followRequests();
  const { startProcessMetrics } = await import("./lib/http/process-metrics.ts");
  startProcessMetrics();
  const { startReplication } = await import("./lib/replication/start-replication.ts");
  await startReplication();
  const { startCatalog: startSite } = await import("./lib/posts/catalog/site-catalog.ts");
  startSite();
  const { startDeliveryPolling: startDeliveries } = await import("./lib/outbound/outbox/outbox.ts");
  startDeliveries();
}
