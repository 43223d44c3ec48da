"use client";
// The map and the table, kept current by server-sent events. Without scripts they stay as they were when the page was made.

import { useEffect, useState } from "react";
import { ClusterMap } from "./cluster-map.tsx";
import { NodeTable } from "./node-table.tsx";
import type { ClusterView } from "#lib/replication/node-view.ts";

const CONNECTION_MESSAGES = {
  still: "As of now.",
  live: "Live: it changes as the cluster does.",
  broken: "The connection is lost. It is tried again.",
  over: "No longer live.",
} as const;

export function LiveCluster({
  initial,
  eventsHref,
  pageHref,
}: {
  initial: ClusterView;
  eventsHref: string;
  pageHref: string;
}) {
  const [view, setView] = useState(initial);
  const [state, setState] = useState<keyof typeof CONNECTION_MESSAGES>("still");
  useEffect(() => {
    const source = new EventSource(eventsHref);
    source.onopen = () => setState("live");
    source.onmessage = ({ data }: MessageEvent<string>) => setView(JSON.parse(data) as ClusterView);
    // The browser gives up where it was refused: the session has ended, or too many look.
    source.onerror = () => setState(source.readyState === EventSource.CLOSED ? "over" : "broken");
    return () => source.close();
  }, [eventsHref]);
  return (
    <>
      <figure className="cluster-figure">
        <ClusterMap nodes={view.nodes} />
      </figure>
      <NodeTable nodes={view.nodes} nowMs={view.atMs} />
      <p className="cluster-state muted">
        <span role="status">{CONNECTION_MESSAGES[state]}</span>{" "}
        {state !== "live" && <a href={pageHref}>Load again</a>}
      </p>
    </>
  );
}
