// Computes the checksum of a whole database file, as LTX defines it.

import { readSync } from "node:fs";
import { DatabaseChecksum, type Uint64, checksumPage } from "./crc64.ts";
import { lockPageNumber } from "./ltx.ts";

const READ_BYTES = 4 * 1_048_576;

/** Calls `onChecksum` for each page in the first `bytes` of the file. */
export function checksumPages(
  fd: number,
  pageSize: number,
  bytes: number,
  onChecksum: (pageNumber: number, checksum: Uint64) => void,
): void {
  const lockPage = lockPageNumber(pageSize);
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  for (let offset = 0; offset < bytes; offset += READ_BYTES) {
    const length = readSync(fd, buffer, 0, Math.min(READ_BYTES, bytes - offset), offset);
    for (let at = 0; at + pageSize <= length; at += pageSize) {
      const pageNumber = (offset + at) / pageSize + 1;
      if (pageNumber !== lockPage)
        onChecksum(pageNumber, checksumPage(pageNumber, buffer.subarray(at, at + pageSize)));
    }
  }
}

/** Returns the checksum of the first `bytes` of the file. */
export function checksumFile(fd: number, pageSize: number, bytes: number): string {
  const checksum = new DatabaseChecksum();
  checksumPages(fd, pageSize, bytes, (_, page) => checksum.toggle(page));
  return checksum.toString();
}
