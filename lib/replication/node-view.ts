// Describes the cluster as admins see it, and formats an instance's status.

import { formatDuration } from "#lib/core/format.ts";

export interface NodeView {
  readonly instance: string;
  readonly region: string | null;
  /** The node that serves this response. */
  readonly isThis: boolean;
  /** Milliseconds since the Unix epoch; null while the node is reachable. */
  readonly unreachableSinceMs: number | null;
  readonly role: "primary" | "replica" | "unknown";
  readonly candidate: boolean;
  readonly version: string | null;
  readonly txid: number | null;
  /** Number of transactions behind the primary; null if unknown. */
  readonly behind: number | null;
  /** Replication lag, see `replicationLagMs`; 0 on the primary, null if unknown. */
  readonly behindMs: number | null;
  /** Milliseconds since the Unix epoch. */
  readonly startedAtMs: number | null;
}

export interface ClusterView {
  readonly isReplicated: boolean;
  /** Milliseconds since the Unix epoch. */
  readonly atMs: number;
  readonly nodes: readonly NodeView[];
}

/** The status of the instance that served a page, shown in the banner at the bottom. */
export interface InstanceStatus {
  readonly region: string | null;
  readonly role: "primary" | "replica" | "unknown";
  readonly txid: number | null;
  readonly behindMs: number | null;
}

/** Heartbeats arrive every second, so a younger one does not count as lag. */
const HEARTBEAT_TOLERANCE_MS = 2_500;

/**
 * Returns the replication lag in milliseconds: the delay of the newest transaction, or the age of
 * an overdue heartbeat if larger. null if unknown.
 */
export function replicationLagMs({
  role,
  lagMs,
  silenceMs,
}: {
  role: NodeView["role"];
  lagMs: number | null;
  silenceMs: number | null;
}): number | null {
  if (role === "primary") return 0;
  if (silenceMs !== null && silenceMs > HEARTBEAT_TOLERANCE_MS)
    return Math.max(silenceMs, lagMs ?? 0);
  return lagMs;
}

const ROLE_LABELS = {
  primary: "primary",
  replica: "replica",
  unknown: "no primary known",
} as const;

/** Returns the known parts of "ams · replica · transaction 1,234 · 4 ms behind". */
export function formatStatus({ region, role, txid, behindMs }: InstanceStatus): string[] {
  return [
    ...(region ? [region] : []),
    ROLE_LABELS[role],
    ...(txid !== null ? [`transaction ${txid.toLocaleString("en")}`] : []),
    ...(role !== "primary" && behindMs !== null
      ? [`${formatDuration(behindMs, "short")} behind`]
      : []),
  ];
}
