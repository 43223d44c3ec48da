// The files in which LiteFS keeps a node's copy, and what the node says of them in its log.

import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readSync,
  readdirSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import type { ClusterNode } from "#cli/cluster/node.ts";

/** The file with the newest transaction of a node. Throws without one. */
export function findNewestLtx(node: ClusterNode): string {
  const folder = node.storePath("ltx");
  const name = (existsSync(folder) ? readdirSync(folder) : [])
    .filter((file) => file.endsWith(".ltx"))
    .sort()
    .at(-1);
  if (!name) throw new Error(`${node.name} has no transaction.`);
  return join(folder, name);
}

/** Turns over all bits of 64 bytes of a file, as a bad disk might. Throws when the file ends before. */
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

/** The lines of a node's log that tell of `event`, oldest first. */
export function readLogEvents(node: ClusterNode, event: string): Record<string, unknown>[] {
  return node
    .log(16 * 1024 * 1024)
    .split("\n")
    .flatMap((line) => {
      if (!line.startsWith("{") || !line.includes(`"${event}"`)) return [];
      const said = JSON.parse(line) as Record<string, unknown>;
      return said.event === event ? [said] : [];
    });
}
