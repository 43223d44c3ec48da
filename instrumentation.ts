// Before the server takes its first request.

export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME !== "nodejs") return;
  const { installRequestContextHook: followRequests } =
    await import("#lib/primary/follow-requests.ts");
  followRequests();
  const { startProcessMetrics } = await import("#lib/primary/process-metrics.ts");
  startProcessMetrics();
  const { startReplication } = await import("#lib/primary/start-replication.ts");
  await startReplication();
  const { startCatalog: startSite } = await import("./app/_site/site.ts");
  startSite();
  const { startDeliveryPolling: startDeliveries } = await import("#lib/outbox/outbox.ts");
  startDeliveries();
}
