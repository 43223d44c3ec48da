// Writes the database at a point in time to a file, and proves that it is that state.

import {
  closeSync,
  existsSync,
  fchownSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { createFolder } from "#lib/core/create-folder.ts";
import { forEachConcurrently } from "#lib/core/for-each-concurrently.ts";
import {
  type Archive,
  type SnapshotInfo,
  completeName,
  findJson,
  getSealed,
  partName,
} from "./archive.ts";
import { checksumFile } from "./database-checksum.ts";
import type { Position } from "#lib/replication/litefs-node-state.ts";
import { type LtxFile, readPages } from "./ltx.ts";
import { type RestorePlan, planRestore } from "./plan-restore.ts";
import { SNAPSHOT_PART_BYTES } from "./snapshot.ts";
import { unpackSegment } from "./segment.ts";

export interface RestoreResult extends Position {
  /** Time of the newest transaction in the file. */
  readonly timeMs: number;
  readonly bytes: number;
  readonly transactions: number;
}

const CONCURRENCY = 8;

/**
 * Creates `file` with the newest state at or before `timeMs` (default: the newest). Throws Error if
 * the backup does not go back that far, an object is missing or damaged, or the result does not have
 * the checksum that the database had. Then there is no `file`.
 */
export async function restoreDatabase(
  archive: Archive,
  file: string,
  timeMs = Infinity,
): Promise<RestoreResult> {
  if (existsSync(file)) throw new Error(`${file} exists`);
  const plan = await planRestore(archive, timeMs);
  if (!plan) {
    const first = await planRestore(archive);
    throw new Error(
      first
        ? `The backup has no state as old as ${new Date(timeMs).toISOString()}. Run "list" to see its range.`
        : "The object store has no backup under this bucket and prefix.",
    );
  }
  createFolder(dirname(file));
  const partial = `${file}.partial`;
  rmSync(partial, { force: true });
  const fd = openSync(partial, "w+", 0o600);
  try {
    await writeSnapshot(archive, plan, fd);
    const result = await applySegments(archive, plan, fd, timeMs);
    const checksum = checksumFile(fd, result.pageSize, result.bytes);
    if (checksum !== result.checksum)
      throw new Error(
        `The restored database has checksum ${checksum} instead of ${result.checksum} at transaction ${result.txid}`,
      );
    fsyncSync(fd);
    // Run as root, as on a machine of the cluster, it leaves a file that the site can write.
    const { uid, gid } = statSync(dirname(file));
    if (process.getuid?.() === 0) fchownSync(fd, uid, gid);
    renameSync(partial, file);
    return result;
  } finally {
    closeSync(fd);
    rmSync(partial, { force: true });
  }
}

async function writeSnapshot(
  archive: Archive,
  { snapshot }: RestorePlan,
  fd: number,
): Promise<void> {
  const info = await findJson<SnapshotInfo>(archive, completeName(snapshot.folder));
  if (!info) throw new Error(`${completeName(snapshot.folder)} is missing in the object store`);
  const parts = Array.from({ length: info.parts }, (_, part) => part);
  await forEachConcurrently(parts, CONCURRENCY, async (part) => {
    const content = await getSealed(archive, partName(snapshot.folder, part));
    writeSync(fd, content, 0, content.length, part * SNAPSHOT_PART_BYTES);
  });
  ftruncateSync(fd, info.bytes);
}

async function applySegments(
  archive: Archive,
  { snapshot, segments }: RestorePlan,
  fd: number,
  timeMs: number,
): Promise<RestoreResult & { pageSize: number }> {
  const info = (await findJson<SnapshotInfo>(archive, completeName(snapshot.folder)))!;
  let result = {
    txid: snapshot.txid,
    checksum: snapshot.checksum,
    timeMs: snapshot.timeMs,
    bytes: info.bytes,
    pageSize: info.pageSize,
    transactions: 0,
  };
  for (let from = 0; from < segments.length; from += CONCURRENCY) {
    const contents = await Promise.all(
      segments.slice(from, from + CONCURRENCY).map(({ name }) => getSealed(archive, name)),
    );
    for (const file of contents.flatMap(unpackSegment)) {
      if (file.timeMs > timeMs) return result;
      assertFollows(file, result);
      readPages(file, (pageNumber, page) =>
        writeSync(fd, page, 0, page.length, (pageNumber - 1) * file.pageSize),
      );
      const bytes = file.pageCount * file.pageSize;
      ftruncateSync(fd, bytes);
      result = {
        txid: file.maxTxid,
        checksum: file.checksumAfter,
        timeMs: file.timeMs,
        bytes,
        pageSize: file.pageSize,
        transactions: result.transactions + 1,
      };
    }
  }
  return result;
}

/** Throws Error unless the transaction continues `position`. */
export function assertFollows(file: LtxFile, position: Position): void {
  if (file.minTxid !== position.txid + 1 || file.checksumBefore !== position.checksum)
    throw new Error(
      `Transaction ${file.minTxid} does not continue transaction ${position.txid}: the backup has a gap`,
    );
}
