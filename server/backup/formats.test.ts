// Checks the file formats and the signature against published examples and against LiteFS's output.

import { expect, test } from "vitest";
import { createCrc64, formatChecksum } from "./crc64.ts";
import { encodeLtx, parseLtx, readPages } from "./ltx.ts";
import { decompressLz4 } from "./lz4.ts";
import { signRequest } from "./sign-request.ts";

test("CRC-64/ISO of the standard check string", () => {
  const crc = createCrc64();
  crc.update(Buffer.from("123456789"));
  // b90956c775a41001 in the catalog of CRCs (reveng.sourceforge.io), which has LTX's flag set already.
  expect(formatChecksum(crc.digest())).toBe("b90956c775a41001");
});

test("a request is signed as in Amazon's documentation", () => {
  const { authorization } = signRequest(
    { method: "GET", url: new URL("https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J") },
    {
      accessKeyId: "AKIAIOSFODNN7EXAMPLE",
      secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
      region: "us-east-1",
    },
    new Date("2013-05-24T00:00:00Z"),
  );
  expect(authorization).toContain(
    "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
  );
});

test("an LZ4 frame with overlapping matches is decompressed", () => {
  // A block: 1 literal "a", a match of 4 + 15 + 80 bytes at distance 1, then 5 literals "bcdef".
  const block = Buffer.from([0x1f, 0x61, 0x01, 0x00, 80, 0x50, ...Buffer.from("bcdef")]);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(block.length);
  const head = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82]);
  const frame = Buffer.concat([head, size, block, Buffer.alloc(4)]);
  expect(decompressLz4(frame).toString()).toBe(`${"a".repeat(100)}bcdef`);
  for (let length = 1; length < frame.length; length += 1)
    expect(() => decompressLz4(frame.subarray(0, length))).toThrow(RangeError);
});

test("an LTX file gives back its pages, and no changed byte goes unnoticed", () => {
  const pages = new Map([
    [7, Buffer.alloc(512, 7)],
    [2, Buffer.alloc(512, 2)],
  ]);
  const header = {
    pageSize: 512,
    pageCount: 9,
    minTxid: 5,
    maxTxid: 5,
    timeMs: 1_700_000_000_000,
    checksumBefore: "8000000000000001",
  };
  const bytes = encodeLtx(header, pages, "8000000000000002");
  const file = parseLtx(bytes);
  expect(file).toMatchObject({ ...header, isCompressed: false, checksumAfter: "8000000000000002" });
  const read: number[] = [];
  readPages(file, (pageNumber, page) => {
    expect(page.equals(pages.get(pageNumber)!)).toBe(true);
    read.push(pageNumber);
  });
  expect(read).toEqual([2, 7]);
  for (const offset of [10, 45, 101, 700, bytes.length - 16, bytes.length - 1]) {
    const damaged = Buffer.from(bytes);
    damaged[offset]! ^= 4;
    expect(() => readPages({ ...parseLtx(damaged), isCompressed: false }, () => {})).toThrow(
      /does not match its checksum/,
    );
  }
});
