"use client";
// Shows at the bottom of a page which instance served it, how current its data is, and how long it took.

import { useEffect, useState } from "react";
import { type InstanceStatus, formatStatus } from "#lib/replication/node-view.ts";

/** Reads this page's Server-Timing in milliseconds; null if the browser does not expose it. */
function serverResponseMs(): number | null {
  const [page] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  return page?.serverTiming?.find(({ name }) => name === "total")?.duration ?? null;
}

/** `initialStatus` is null on a static page: then the browser fetches the status. */
export function InstanceBanner({ initialStatus }: { initialStatus: InstanceStatus | null }) {
  const [status, setStatus] = useState(initialStatus);
  const [ms, setMs] = useState<number | null>(null);
  useEffect(() => {
    setMs(serverResponseMs());
    if (initialStatus) return;
    const abort = new AbortController();
    fetch("/cluster/here", { cache: "no-store", signal: abort.signal })
      .then((response) => (response.ok ? (response.json() as Promise<InstanceStatus>) : null))
      .then(setStatus)
      // Offline, the banner stays empty.
      .catch(() => {});
    return () => abort.abort();
  }, [initialStatus]);
  const parts = status
    ? [
        ...formatStatus(status),
        ...(ms === null
          ? []
          : [`answered in ${Math.max(1, Math.round(ms)).toLocaleString("en")} ms`]),
      ]
    : [];
  return <p className="instance-banner wrap">{parts.join(" · ")}</p>;
}
