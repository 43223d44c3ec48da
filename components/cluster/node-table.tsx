// Shows each node of the cluster as a row.

import { findCity } from "./regions.ts";
import { ScrollableTable } from "#components/admin/scrollable-table.tsx";
import { Timestamp } from "#components/admin/timestamp.tsx";
import { type NodeView } from "#lib/replication/node-view.ts";
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

export function NodeTable({ nodes, nowMs }: { nodes: readonly NodeView[]; nowMs: number }) {
  return (
    <ScrollableTable label="Nodes">
      <thead>
        <tr>
          <th scope="col">Node</th>
          <th scope="col">Role</th>
          <th scope="col">Region</th>
          <th scope="col" className="number">
            Transaction
          </th>
          <th scope="col">Behind</th>
          <th scope="col">Version</th>
          <th scope="col">Up for</th>
          <th scope="col">Last backup</th>
        </tr>
      </thead>
      <tbody>
        {nodes.map((node) => (
          <tr
            key={node.instance}
            className={node.unreachableSinceMs === null ? undefined : "cluster-gone"}
          >
            <th scope="row">
              {node.instance}
              {node.isThis && <small>this node</small>}
            </th>
            <td>
              {formatRole(node)}
              {node.unreachableSinceMs !== null && (
                <small>
                  since <Timestamp ms={node.unreachableSinceMs} />
                </small>
              )}
            </td>
            <td>
              {node.region ?? "none"}
              {findCity(node.region) && <small>{findCity(node.region)}</small>}
            </td>
            <td className="number">
              {node.txid === null ? "none" : node.txid.toLocaleString("en")}
            </td>
            <td className="figures">{formatReplicationLag(node)}</td>
            <td className="cluster-version">{node.version ?? "unknown"}</td>
            <td className="figures">
              {node.startedAtMs === null
                ? "unknown"
                : formatDuration(Math.max(0, nowMs - node.startedAtMs), "largest-unit")}
            </td>
            <td>
              {node.lastBackupAtMs === null ? "none yet" : <Timestamp ms={node.lastBackupAtMs} />}
            </td>
          </tr>
        ))}
      </tbody>
    </ScrollableTable>
  );
}
