// Finds and corrupts the files in which LiteFS stores a node's copy, and reads events from the
// node's log.

import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readSync,
  readdirSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import type { ClusterNode } from "#cli/cluster/node.ts";

/** Returns the LTX file of the node's newest transaction. Throws without one. */
export function findNewestLtx(node: ClusterNode): string {
  const folder = node.storePath("ltx");
  const name = (existsSync(folder) ? readdirSync(folder) : [])
    .filter((file) => file.endsWith(".ltx"))
    .sort()
    .at(-1);
  if (!name) throw new Error(`${node.name} has no LTX file.`);
  return join(folder, name);
}

/** Inverts 64 bytes of a file, like a failing disk. Throws if the file ends before `at`. */
export function corruptBytes(file: string, { at }: { at: number }): void {
  const fd = openSync(file, "r+");
  try {
    const bytes = Buffer.alloc(Math.min(64, fstatSync(fd).size - at));
    readSync(fd, bytes, 0, bytes.length, at);
    writeSync(
      fd,
      bytes.map((byte) => ~byte & 0xff),
      0,
      bytes.length,
      at,
    );
  } finally {
    closeSync(fd);
  }
}

/**
 * Makes the kernel believe that the database's shared memory has three bytes, as if SQLite had
 * opened it while LiteFS applied a transaction. The next transaction restores the file, but not the
 * size that the kernel knows.
 */
export function shrinkSharedMemory(node: ClusterNode): void {
  truncateSync(node.storePath("shm"), 3);
  statSync(`${node.databaseFile}-shm`);
}

/** Returns the entries of a node's log for `event`, oldest first. */
export function readLogEvents(node: ClusterNode, event: string): Record<string, unknown>[] {
  return node
    .log(16 * 1024 * 1024)
    .split("\n")
    .flatMap((line) => {
      if (!line.startsWith("{") || !line.includes(`"${event}"`)) return [];
      const entry = JSON.parse(line) as Record<string, unknown>;
      return entry.event === event ? [entry] : [];
    });
}
