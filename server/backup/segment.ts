// Packs consecutive transactions into one object: the length of each LTX file, then its bytes.

import { type LtxFile, parseLtx } from "./ltx.ts";

/** Returns the content of a segment. */
export function packSegment(files: readonly LtxFile[]): Buffer {
  return Buffer.concat(
    files.flatMap(({ bytes }) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}

/** Returns the transactions of a segment, in order. Throws Error if it is damaged. */
export function unpackSegment(content: Buffer): LtxFile[] {
  const files: LtxFile[] = [];
  for (let offset = 0; offset < content.length;) {
    const length = content.readUInt32BE(offset);
    files.push(parseLtx(content.subarray(offset + 4, offset + 4 + length)));
    offset += 4 + length;
  }
  return files;
}
