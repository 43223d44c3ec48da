// Before the server takes its first request.

export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME !== "nodejs") return;
  const { followRequests } = await import("#lib/primary/request-context.ts");
  followRequests();
  const { startSite } = await import("./app/_site/site.ts");
  startSite();
  const { startDeliveries } = await import("#lib/outbox/outbox.ts");
  startDeliveries();
}
