// The cluster as it is shown: what each node said of itself, and how far it is behind.

export interface NodeView {
  readonly instance: string;
  readonly region: string | null;
  /** The one that was asked. */
  readonly isThis: boolean;
  /** Milliseconds since the epoch when it first did not answer; null while it does. */
  readonly unreachableSinceMs: number | null;
  readonly role: "primary" | "replica" | "unknown";
  readonly candidate: boolean;
  readonly version: string | null;
  readonly txid: number | null;
  /** Transactions that the primary has and this one had not; null where one of them is not known. */
  readonly behind: number | null;
  /** How late the newest transaction came, or since when nothing was heard of the primary; 0 on the primary, null where it is not known. */
  readonly behindMs: number | null;
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number | null;
  /** Milliseconds since the epoch; null until one was made. */
  readonly lastBackupAtMs: number | null;
}

export interface ClusterView {
  readonly isReplicated: boolean;
  /** When it was seen, in milliseconds since the epoch. */
  readonly atMs: number;
  readonly nodes: readonly NodeView[];
}

/** What the strip at the foot of a page says of the instance that answered. */
export interface InstanceStatus {
  readonly region: string | null;
  readonly role: "primary" | "replica" | "unknown";
  readonly txid: number | null;
  readonly behindMs: number | null;
}

/** LiteFS sends a sign each second: a shorter silence says nothing. */
const HEARTBEAT_TOLERANCE_MS = 2_500;

/** How far a node is behind, in milliseconds: how late its newest transaction came, or the silence where that is longer. */
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

/** "ams · replica · transaction 1,234 · 4 ms behind", in parts. What is not known is left out. */
export function formatStatus({ region, role, txid, behindMs }: InstanceStatus): string[] {
  return [
    ...(region ? [region] : []),
    ROLE_LABELS[role],
    ...(txid !== null ? [`transaction ${txid.toLocaleString("en")}`] : []),
    ...(role !== "primary" && behindMs !== null ? [`${formatDuration(behindMs, "short")} behind`] : []),
  ];
}
