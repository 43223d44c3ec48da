// Reads the header of SQLite's WAL index, which says how much of the write-ahead log is committed
// (sqlite.org/walformat.html, 2.2), and the frames of the log itself (sqlite.org/fileformat2.html,
// 4.1).

import { closeSync, openSync, readSync } from "node:fs";
import { endianness } from "node:os";

export interface WalIndexHeader {
  /** Number of the last committed frame; 0 if the log is empty. */
  readonly lastFrame: number;
  /** Pages of the database after the last commit. */
  readonly pageCount: number;
  /** Changes when SQLite restarts the log. */
  readonly salts: string;
}

const INDEX_HEADER_BYTES = 48;
const WAL_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
/** A writer updates both copies of the header within microseconds. */
const MAX_ATTEMPTS = 1_000;

/**
 * Returns the header in the file `-shm`, open at `fd`; null if there is none, which means an empty
 * log. The caller keeps `fd` open: closing it would release SQLite's locks of this process
 * (sqlite.org/howtocorrupt.html, 2.2).
 */
export function readWalIndex(fd: number): WalIndexHeader | null {
  const copies = Buffer.alloc(INDEX_HEADER_BYTES * 2);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    if (readSync(fd, copies, 0, copies.length, 0) < copies.length) return null;
    const header = copies.subarray(0, INDEX_HEADER_BYTES);
    // The two copies differ while a writer is between them.
    if (!header.equals(copies.subarray(INDEX_HEADER_BYTES))) continue;
    const read = (offset: number) =>
      endianness() === "LE" ? header.readUInt32LE(offset) : header.readUInt32BE(offset);
    return {
      lastFrame: read(16),
      pageCount: read(20),
      salts: header.toString("hex", 32, 40),
    };
  }
  throw new Error("The header of the WAL index changes on every read");
}

/**
 * Returns the newest version of each page in the frames after `fromFrame`, up to `toFrame`. Throws
 * Error if a frame belongs to another generation of the log.
 */
export function readFrames(
  file: string,
  { salts, pageSize }: { salts: string; pageSize: number },
  fromFrame: number,
  toFrame: number,
): Map<number, Buffer> {
  const pages = new Map<number, Buffer>();
  const frameBytes = FRAME_HEADER_BYTES + pageSize;
  const fd = openSync(`${file}-wal`, "r");
  try {
    for (let frame = fromFrame; frame < toFrame; frame += 1) {
      const buffer = Buffer.allocUnsafe(frameBytes);
      const offset = WAL_HEADER_BYTES + frame * frameBytes;
      if (
        readSync(fd, buffer, 0, frameBytes, offset) < frameBytes ||
        buffer.toString("hex", 8, 16) !== salts
      )
        throw new Error(`Frame ${frame + 1} of ${file}-wal is missing or belongs to another log`);
      pages.set(buffer.readUInt32BE(0), buffer.subarray(FRAME_HEADER_BYTES));
    }
    return pages;
  } finally {
    closeSync(fd);
  }
}
