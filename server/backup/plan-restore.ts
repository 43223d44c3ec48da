// Finds the snapshot and the segments that lead to the state of the database at a point in time.

import {
  type Archive,
  type Segment,
  type Snapshot,
  findTimeline,
  listSegments,
  listSnapshots,
  listTimelines,
  timelineTimeMs,
} from "./archive.ts";
import type { Position } from "#lib/replication/litefs-node-state.ts";

export interface RestorePlan {
  readonly timeline: string;
  readonly snapshot: Snapshot;
  /** Consecutive from the snapshot on. The last may contain transactions after the time. */
  readonly segments: readonly Segment[];
  /** The state that all of them lead to. */
  readonly end: Position & { readonly timeMs: number };
}

/**
 * Plans how to restore the state at `timeMs` (Infinity for the newest), from the newest timeline
 * that had started by then. Returns null if the backup does not go back that far.
 */
export async function planRestore(
  archive: Archive,
  timeMs = Infinity,
): Promise<RestorePlan | null> {
  const ids = (await listTimelines(archive)).filter((id) => timelineTimeMs(id) <= timeMs);
  for (const id of ids.reverse()) {
    const plan = await planTimeline(archive, id, timeMs);
    // A timeline whose first snapshot was not complete by then has no state to restore.
    if (plan) return plan;
  }
  return null;
}

async function planTimeline(
  archive: Archive,
  newest: string,
  timeMs: number,
): Promise<RestorePlan | null> {
  /** From the newest timeline to the one with the snapshot, with the last transaction of each. */
  const path: { readonly id: string; readonly lastTxid: number }[] = [];
  let id = newest;
  let lastTxid = Infinity;
  for (;;) {
    path.unshift({ id, lastTxid });
    const limit = lastTxid;
    const snapshot = (await listSnapshots(archive, id)).findLast(
      (each) => each.timeMs <= timeMs && each.txid <= limit,
    );
    if (snapshot) return collectSegments(archive, newest, path, snapshot, timeMs);
    const parent = (await findTimeline(archive, id))?.parent;
    if (!parent || path.some((each) => each.id === parent.timeline)) return null;
    id = parent.timeline;
    lastTxid = Math.min(lastTxid, parent.position.txid);
  }
}

async function collectSegments(
  archive: Archive,
  timeline: string,
  path: readonly { readonly id: string; readonly lastTxid: number }[],
  snapshot: Snapshot,
  timeMs: number,
): Promise<RestorePlan> {
  const segments: Segment[] = [];
  let end: RestorePlan["end"] = snapshot;
  for (const { id, lastTxid } of path) {
    for (const segment of await listSegments(archive, id, end.txid + 1)) {
      if (segment.maxTxid <= end.txid) continue;
      // Transactions that a former primary wrote after the fork are not part of this history.
      if (segment.maxTxid > lastTxid) break;
      if (segment.minTxid !== end.txid + 1) throw new GapError(id, end.txid + 1);
      segments.push(segment);
      end = { txid: segment.maxTxid, checksum: segment.checksumAfter, timeMs: segment.timeMs };
      if (segment.timeMs > timeMs) return { timeline, snapshot, segments, end };
    }
    if (Number.isFinite(lastTxid) && end.txid < lastTxid) throw new GapError(id, end.txid + 1);
  }
  return { timeline, snapshot, segments, end };
}

/** Thrown if objects in the middle of a timeline are missing. */
export class GapError extends Error {
  constructor(timeline: string, txid: number) {
    super(`Transaction ${txid} of timeline ${timeline} is missing in the object store`);
  }
}
