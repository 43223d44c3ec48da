// Describes the cluster as admins see it, and formats an instance's status.

import { formatDuration } from "#lib/core/format.ts";

export interface NodeView {
  readonly instance: string;
  readonly region: string | null;
  /** The node that serves this response. */
  readonly isThis: boolean;
  /** Milliseconds since the epoch; null while it answers. */
  readonly unreachableSinceMs: number | null;
  readonly role: "primary" | "replica" | "unknown";
  readonly candidate: boolean;
  readonly version: string | null;
  readonly txid: number | null;
  /** Transactions behind the primary; null if unknown. */
  readonly behind: number | null;
  /** Replication lag, see `replicationLagMs`; 0 on the primary, null if unknown. */
  readonly behindMs: number | null;
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number | null;
  /** Milliseconds since the epoch; null before the first. */
  readonly lastBackupAtMs: number | null;
}

export interface ClusterView {
  readonly isReplicated: boolean;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly nodes: readonly NodeView[];
}

/** What the banner at the foot of a page says about the instance that served it. */
export interface InstanceStatus {
  readonly region: string | null;
  readonly role: "primary" | "replica" | "unknown";
  readonly txid: number | null;
  readonly behindMs: number | null;
}

/** Heartbeats come each second: a younger one is no lag. */
const HEARTBEAT_TOLERANCE_MS = 2_500;

/** Returns the delay of the newest transaction in milliseconds, or the age of the last heartbeat if that is larger. */
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

/** Returns the parts of "ams · replica · transaction 1,234 · 4 ms behind", without unknown ones. */
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
