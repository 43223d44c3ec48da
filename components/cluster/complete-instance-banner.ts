// Completes the instance banner in the browser with the response time and, on a static page, the
// instance that served it.

import { type InstanceStatus, formatStatus } from "#lib/replication/node-view.ts";

/** Reads this page's Server-Timing in milliseconds; null if the browser does not expose it. */
function serverResponseMs(): number | null {
  const [page] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  return page?.serverTiming?.find(({ name }) => name === "total")?.duration ?? null;
}

async function fetchStatus(): Promise<InstanceStatus | null> {
  // Offline, the banner stays empty.
  const response = await fetch("/cluster/here", { cache: "no-store" }).catch(() => null);
  return response?.ok ? ((await response.json()) as InstanceStatus) : null;
}

export async function completeInstanceBanner(banner: HTMLElement): Promise<void> {
  const ms = serverResponseMs();
  let text = banner.textContent;
  if (banner.dataset.needsStatus !== undefined) {
    const status = await fetchStatus();
    if (!status) return;
    text = formatStatus(status).join(" · ");
  }
  banner.textContent =
    ms === null
      ? text
      : `${text} · answered in ${Math.max(1, Math.round(ms)).toLocaleString("en")} ms`;
}
