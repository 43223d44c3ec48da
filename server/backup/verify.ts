// Reads every object of the backup, and reports what is damaged, missing or inconsistent.

import { forEachConcurrently } from "#lib/core/for-each-concurrently.ts";
import {
  type Archive,
  type Segment,
  type SnapshotInfo,
  completeName,
  findJson,
  findTimeline,
  getSealed,
  listSegments,
  listSnapshots,
  listTimelines,
  partName,
} from "./archive.ts";
import type { Position } from "#lib/replication/litefs-node-state.ts";
import { readPages } from "./ltx.ts";
import { planRestore } from "./plan-restore.ts";
import { assertFollows } from "./restore.ts";
import { unpackSegment } from "./segment.ts";

export interface VerifyResult {
  readonly objects: number;
  /** Of the encrypted objects. */
  readonly bytes: number;
  readonly transactions: number;
  /** One sentence each; empty if everything is fine. */
  readonly problems: readonly string[];
}

const CONCURRENCY = 4;

/** Verifies what the newest state needs, or all timelines. */
export async function verifyArchive(
  archive: Archive,
  { isComplete }: { isComplete: boolean },
): Promise<VerifyResult> {
  const result = { objects: 0, bytes: 0, transactions: 0, problems: [] as string[] };
  const check = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      result.problems.push((error as Error).message);
    }
  };
  /** Returns the content of an object, and counts it. */
  const read = async (name: string): Promise<Buffer> => {
    const content = await getSealed(archive, name);
    result.objects += 1;
    return content;
  };

  const verifySnapshot = (folder: string) =>
    check(async () => {
      const info = await findJson<SnapshotInfo>(archive, completeName(folder));
      if (!info) throw new Error(`${completeName(folder)} is missing in the object store`);
      const parts = Array.from({ length: info.parts }, (_, part) => partName(folder, part));
      let bytes = 0;
      await forEachConcurrently(parts, CONCURRENCY, async (name) => {
        const { length } = await read(name);
        bytes += length;
      });
      if (bytes !== info.bytes) throw new Error(`${folder} has ${bytes} of ${info.bytes} bytes`);
    });

  const verifySegments = async (segments: readonly Segment[], start: Position | null) => {
    let position = start;
    for (const { name, maxTxid, checksumAfter, bytes } of segments) {
      await check(async () => {
        result.bytes += bytes;
        for (const file of unpackSegment(await read(name))) {
          if (position) assertFollows(file, position);
          position = { txid: file.maxTxid, checksum: file.checksumAfter };
          readPages(file, () => {});
          result.transactions += 1;
        }
        if (position?.txid !== maxTxid || position.checksum !== checksumAfter)
          throw new Error(`${name} does not end at transaction ${maxTxid} as its name says`);
      });
      // After a problem, the comparison starts again with the next segment.
      if (position?.txid !== maxTxid) position = { txid: maxTxid, checksum: checksumAfter };
    }
  };

  if (!isComplete) {
    await check(async () => {
      const plan = await planRestore(archive);
      if (!plan) throw new Error("The object store has no backup");
      await verifySnapshot(plan.snapshot.folder);
      await verifySegments(plan.segments, plan.snapshot);
    });
    return result;
  }
  const ids = await listTimelines(archive);
  for (const id of ids) {
    let start: Position | null = null;
    await check(async () => {
      const info = await findTimeline(archive, id);
      if (!info) throw new Error(`timelines/${id}/timeline is missing in the object store`);
      // If the parent was deleted, so was the start of this timeline: both exceeded the retention.
      if (info.parent && ids.includes(info.parent.timeline)) start = info.parent.position;
    });
    const snapshots = await listSnapshots(archive, id);
    for (const { folder } of snapshots) await verifySnapshot(folder);
    await verifySegments(await listSegments(archive, id, 0), start ?? snapshots[0] ?? null);
  }
  return result;
}
