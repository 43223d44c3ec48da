"use client";
// The last line of a page in a cluster: which instance answered, how current it is, and how long it took.

import { useEffect, useState } from "react";
import { type InstanceStatus, formatStatus } from "#lib/replication/node-view.ts";

/** What the answer to this page took on the server, as it said itself; null where the browser does not tell. */
function serverResponseMs(): number | null {
  const [page] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  return page?.serverTiming?.find(({ name }) => name === "total")?.duration ?? null;
}

/** `here` is null on a page that is kept for everybody: then the instance is asked by the browser. */
export function InstanceBanner({ here }: { here: InstanceStatus | null }) {
  const [view, setView] = useState(here);
  const [ms, setMs] = useState<number | null>(null);
  useEffect(() => {
    setMs(serverResponseMs());
    if (here) return;
    const abort = new AbortController();
    fetch("/cluster/here", { cache: "no-store", signal: abort.signal })
      .then((response) => (response.ok ? (response.json() as Promise<InstanceStatus>) : null))
      .then(setView)
      // Without an answer the line stays empty: it is no part of what the page is for.
      .catch(() => {});
    return () => abort.abort();
  }, [here]);
  const parts = view
    ? [
        ...formatStatus(view),
        ...(ms === null
          ? []
          : [`answered in ${Math.max(1, Math.round(ms)).toLocaleString("en")} ms`]),
      ]
    : [];
  return <p className="instance-banner wrap">{parts.join(" · ")}</p>;
}
