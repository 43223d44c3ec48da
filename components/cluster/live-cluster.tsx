"use client";
// Shows the nodes, updated by server-sent events. Static without JavaScript.

import { useEffect, useState } from "react";
import { NodeTable } from "./node-table.tsx";
import type { ClusterView } from "#lib/replication/node-view.ts";

const CONNECTION_MESSAGES = {
  connecting: "Connecting",
  live: "Live",
  reconnecting: "Reconnecting",
  disconnected: "Disconnected",
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
  const [state, setState] = useState<keyof typeof CONNECTION_MESSAGES>("connecting");
  useEffect(() => {
    const source = new EventSource(eventsHref);
    source.onopen = () => setState("live");
    source.onmessage = ({ data }: MessageEvent<string>) => setView(JSON.parse(data) as ClusterView);
    // CLOSED: the server refused the connection; the session has ended, or too many are connected.
    source.onerror = () =>
      setState(source.readyState === EventSource.CLOSED ? "disconnected" : "reconnecting");
    return () => source.close();
  }, [eventsHref]);
  return (
    <>
      <NodeTable nodes={view.nodes} nowMs={view.atMs} />
      <p className="cluster-state muted">
        <span role="status">{CONNECTION_MESSAGES[state]}</span>{" "}
        {state !== "live" && <a href={pageHref}>Reload</a>}
      </p>
    </>
  );
}
