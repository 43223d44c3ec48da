// Decompresses LZ4 frames, which LiteFS writes into its LTX files
// (github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md and lz4_Block_format.md).

const FRAME_MAGIC = 0x184d2204;
/** Lengths of this value continue in the next byte. */
const LONG_LENGTH = 15;
const MIN_MATCH = 4;
/**
 * More than any transaction file that is shipped, because a damaged length must not exhaust the
 * memory.
 */
const MAX_OUTPUT_BYTES = 512 * 1_048_576;

/**
 * Returns the content of the frame. Throws RangeError if it is damaged. Doesn't verify checksums.
 */
export function decompressLz4(frame: Buffer): Buffer {
  if (frame.readUInt32LE(0) !== FRAME_MAGIC) throw new RangeError("LZ4: this is not a frame");
  const flags = frame[4]!;
  const hasBlockChecksums = (flags & 0x10) !== 0;
  const hasContentSize = (flags & 0x08) !== 0;
  const hasDictionary = (flags & 0x01) !== 0;
  let offset = 7 + (hasContentSize ? 8 : 0) + (hasDictionary ? 4 : 0);
  const output = new Output(frame.length * 4);
  for (;;) {
    const size = frame.readUInt32LE(offset);
    offset += 4;
    if (size === 0) return output.content();
    const length = size & 0x7fffffff;
    const block = frame.subarray(offset, offset + length);
    if (block.length < length) throw new RangeError("LZ4: the frame is cut off");
    if (size >= 0x80000000) output.append(block);
    else decompressBlock(block, output);
    offset += length + (hasBlockChecksums ? 4 : 0);
  }
}

class Output {
  #buffer: Buffer;
  #length = 0;

  constructor(expectedBytes: number) {
    this.#buffer = Buffer.allocUnsafe(Math.min(expectedBytes, MAX_OUTPUT_BYTES));
  }

  content(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  append(bytes: Buffer): void {
    this.#reserve(bytes.length);
    bytes.copy(this.#buffer, this.#length);
    this.#length += bytes.length;
  }

  /** Repeats `length` bytes from `distance` bytes before the end; the two may overlap. */
  repeat(distance: number, length: number): void {
    if (distance === 0 || distance > this.#length)
      throw new RangeError("LZ4: a match starts before the content");
    this.#reserve(length);
    const buffer = this.#buffer;
    const from = this.#length - distance;
    if (distance >= length) buffer.copyWithin(this.#length, from, from + length);
    else for (let i = 0; i < length; i += 1) buffer[this.#length + i] = buffer[from + i]!;
    this.#length += length;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    if (needed > MAX_OUTPUT_BYTES) throw new RangeError("LZ4: the content is too large");
    const larger = Buffer.allocUnsafe(
      Math.min(Math.max(needed, this.#buffer.length * 2), MAX_OUTPUT_BYTES),
    );
    this.content().copy(larger);
    this.#buffer = larger;
  }
}

function decompressBlock(block: Buffer, output: Output): void {
  let offset = 0;
  const readLength = (nibble: number): number => {
    let length = nibble;
    if (nibble !== LONG_LENGTH) return length;
    for (let byte = 255; byte === 255;) {
      byte = block.readUInt8(offset++);
      length += byte;
    }
    return length;
  };
  while (offset < block.length) {
    const token = block[offset++]!;
    const literals = readLength(token >> 4);
    if (offset + literals > block.length) throw new RangeError("LZ4: a block is cut off");
    output.append(block.subarray(offset, offset + literals));
    offset += literals;
    // The last sequence of a block has no match.
    if (offset === block.length) return;
    const distance = block.readUInt16LE(offset);
    offset += 2;
    output.repeat(distance, readLength(token & 0x0f) + MIN_MATCH);
  }
}
