// Shows each node of the cluster as a row.

import { type Column, DataTable } from "#components/admin/data-table.tsx";
import { Timestamp } from "#components/admin/timestamp.tsx";
import { type NodeView } from "#lib/replication/node-view.ts";
import { formatRegion } from "#lib/core/fly-regions.ts";
import { formatDuration } from "#lib/core/format.ts";

const ROLE_LABELS = {
  primary: "Primary",
  replica: "Replica",
  unknown: "No primary known",
} as const;

function formatRole({ role, candidate, unreachableSinceMs }: NodeView): string {
  if (unreachableSinceMs !== null) return "Unreachable";
  return role === "replica" && candidate ? "Replica, candidate" : ROLE_LABELS[role];
}

function formatReplicationLag({ role, behind, behindMs, unreachableSinceMs }: NodeView): string {
  if (unreachableSinceMs !== null) return "unknown";
  if (role === "primary") return "none";
  if (behind === null && behindMs === null) return "unknown";
  const parts = [
    ...(behind
      ? [`${behind.toLocaleString("en")} ${behind === 1 ? "transaction" : "transactions"}`]
      : []),
    ...(behindMs === null ? [] : [formatDuration(behindMs, "short")]),
  ];
  return parts.length === 0 ? "none" : parts.join(" · ");
}

const listColumns = (nowMs: number): [Column<NodeView>, ...Column<NodeView>[]] => [
  {
    label: "Node",
    render: (node) => (
      <>
        {node.instance}
        {node.isThis && <small>this node</small>}
      </>
    ),
  },
  {
    label: "Role",
    render: (node) => (
      <>
        {formatRole(node)}
        {node.unreachableSinceMs !== null && (
          <small>
            since <Timestamp ms={node.unreachableSinceMs} />
          </small>
        )}
      </>
    ),
  },
  {
    label: "Region",
    render: ({ region }) => (
      <>
        {region ?? "none"}
        {formatRegion(region) !== region && <small>{formatRegion(region)}</small>}
      </>
    ),
  },
  {
    label: "Transaction",
    kind: "number",
    render: ({ txid }) => (txid === null ? "none" : txid.toLocaleString("en")),
  },
  { label: "Behind", kind: "figures", render: formatReplicationLag },
  { label: "Version", kind: "cluster-version", render: ({ version }) => version ?? "unknown" },
  {
    label: "Up for",
    kind: "figures",
    render: ({ startedAtMs }) =>
      startedAtMs === null
        ? "unknown"
        : formatDuration(Math.max(0, nowMs - startedAtMs), "largest-unit"),
  },
];

export function NodeTable({ nodes, nowMs }: { nodes: readonly NodeView[]; nowMs: number }) {
  return (
    <DataTable
      label="Nodes"
      rows={nodes}
      keyOf={(node) => node.instance}
      rowClass={(node) => (node.unreachableSinceMs === null ? undefined : "cluster-gone")}
      columns={listColumns(nowMs)}
    />
  );
}
