// Uploads a copy of the whole database file in parts.

import { readSync } from "node:fs";
import {
  type Archive,
  type Snapshot,
  completeName,
  partName,
  putJson,
  putSealed,
  snapshotFolder,
} from "./archive.ts";
import type { Position } from "#lib/replication/litefs-node-state.ts";

/** A database file that does not change until it is released. */
export interface FrozenDatabase {
  readonly fd: number;
  readonly bytes: number;
  readonly pageSize: number;
  readonly position: Position;
  readonly timeMs: number;
  release(): void;
}

export const SNAPSHOT_PART_BYTES = 4 * 1_048_576;

/** Stores the snapshot. `assertWriter` throws if this process may no longer write to the store. */
export async function uploadSnapshot(
  archive: Archive,
  timeline: string,
  database: FrozenDatabase,
  assertWriter: () => Promise<void>,
): Promise<Snapshot> {
  const { fd, bytes, pageSize, position, timeMs } = database;
  const folder = snapshotFolder(timeline, position, timeMs);
  const parts = Math.ceil(bytes / SNAPSHOT_PART_BYTES);
  const buffer = Buffer.allocUnsafe(SNAPSHOT_PART_BYTES);
  for (let part = 0; part < parts; part += 1) {
    const offset = part * SNAPSHOT_PART_BYTES;
    const length = Math.min(SNAPSHOT_PART_BYTES, bytes - offset);
    if (readSync(fd, buffer, 0, length, offset) !== length)
      throw new Error("The database file is shorter than its header says");
    await assertWriter();
    await putSealed(archive, partName(folder, part), buffer.subarray(0, length));
  }
  await assertWriter();
  await putJson(archive, completeName(folder), { bytes, pageSize, parts });
  return { ...position, timeMs, folder };
}
