// Reads and writes LTX, LiteFS's transaction files: which pages a transaction changed, and the
// checksum of the database before and after (github.com/superfly/ltx, version 0.3).

import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { createCrc64, formatChecksum } from "./crc64.ts";
import { decompressLz4 } from "./lz4.ts";

/** A state of the database: its newest transaction, and the checksum of all pages. */
export interface LtxHeader {
  readonly isCompressed: boolean;
  /** Bytes. */
  readonly pageSize: number;
  /** Pages of the database after the transaction. */
  readonly pageCount: number;
  readonly minTxid: number;
  readonly maxTxid: number;
  /** Time of the commit in milliseconds since the Unix epoch. */
  readonly timeMs: number;
  /** Checksum of the database before the transaction; 16 zeros in a snapshot. */
  readonly checksumBefore: string;
}

export interface LtxFile extends LtxHeader {
  /** Checksum of the database after the transaction. */
  readonly checksumAfter: string;
  readonly bytes: Buffer;
}

const HEADER_BYTES = 100;
const TRAILER_BYTES = 16;
const COMPRESSED_FLAG = 1;
/** SQLite locks this byte, so its page holds no data (sqlite.org/fileformat.html, 1.4). */
const LOCK_BYTE = 0x40000000;

export const lockPageNumber = (pageSize: number): number => LOCK_BYTE / pageSize + 1;

/**
 * Reads header and trailer. Throws Error if the file is not an LTX file. Doesn't read the pages.
 */
export function parseLtx(bytes: Buffer): LtxFile {
  if (bytes.length < HEADER_BYTES + TRAILER_BYTES || bytes.toString("latin1", 0, 4) !== "LTX1")
    throw new Error("this is not an LTX file");
  const trailer = bytes.length - TRAILER_BYTES;
  return {
    isCompressed: (bytes.readUInt32BE(4) & COMPRESSED_FLAG) !== 0,
    pageSize: bytes.readUInt32BE(8),
    pageCount: bytes.readUInt32BE(12),
    minTxid: Number(bytes.readBigUInt64BE(16)),
    maxTxid: Number(bytes.readBigUInt64BE(24)),
    timeMs: Number(bytes.readBigUInt64BE(32)),
    checksumBefore: bytes.toString("hex", 40, 48),
    checksumAfter: bytes.toString("hex", trailer, trailer + 8),
    bytes,
  };
}

/**
 * Returns the checksum of the database after the transaction in the LTX file `path`, of which it
 * reads only the end: the file of an import has the size of the database. Throws Error if the file
 * is missing or too short.
 */
export function readChecksumAfter(path: string): string {
  const descriptor = openSync(path, "r");
  try {
    const start = fstatSync(descriptor).size - TRAILER_BYTES;
    const trailer = Buffer.alloc(TRAILER_BYTES);
    if (start < HEADER_BYTES || readSync(descriptor, trailer, { position: start }) < TRAILER_BYTES)
      throw new Error(`${path} is not an LTX file`);
    return trailer.toString("hex", 0, 8);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Calls `onPage` for each page of the transaction. Throws Error if the content does not match its
 * checksum, before the first call.
 */
export function readPages(file: LtxFile, onPage: (pageNumber: number, page: Buffer) => void): void {
  const { bytes, pageSize } = file;
  const body = bytes.subarray(HEADER_BYTES, bytes.length - TRAILER_BYTES);
  const pages = file.isCompressed ? decompressLz4(body) : body;
  const crc = createCrc64();
  crc.update(bytes.subarray(0, HEADER_BYTES));
  crc.update(pages);
  crc.update(bytes.subarray(bytes.length - TRAILER_BYTES, bytes.length - 8));
  if (formatChecksum(crc.digest()) !== bytes.toString("hex", bytes.length - 8))
    throw new Error(`transaction ${file.maxTxid} does not match its checksum`);
  for (let offset = 0; ; offset += 4 + pageSize) {
    const pageNumber = pages.readUInt32BE(offset);
    if (pageNumber === 0) return;
    onPage(pageNumber, pages.subarray(offset + 4, offset + 4 + pageSize));
  }
}

/** Returns an uncompressed LTX file of one transaction. `pages` may be in any order. */
export function encodeLtx(
  header: Omit<LtxHeader, "isCompressed">,
  pages: ReadonlyMap<number, Buffer>,
  checksumAfter: string,
): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  head.write("LTX1", "latin1");
  head.writeUInt32BE(header.pageSize, 8);
  head.writeUInt32BE(header.pageCount, 12);
  head.writeBigUInt64BE(BigInt(header.minTxid), 16);
  head.writeBigUInt64BE(BigInt(header.maxTxid), 24);
  head.writeBigUInt64BE(BigInt(header.timeMs), 32);
  head.write(header.checksumBefore, 40, "hex");
  const parts: Buffer[] = [head];
  for (const pageNumber of [...pages.keys()].sort((a, b) => a - b)) {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(pageNumber);
    parts.push(number, pages.get(pageNumber)!);
  }
  // Page number 0 ends the pages.
  parts.push(Buffer.alloc(4), Buffer.from(checksumAfter, "hex"));
  const crc = createCrc64();
  for (const part of parts) crc.update(part);
  parts.push(Buffer.from(formatChecksum(crc.digest()), "hex"));
  return Buffer.concat(parts);
}
