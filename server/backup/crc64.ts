// Computes CRC-64/ISO, the checksum of LTX, LiteFS's transaction files (github.com/superfly/ltx).

/** A 64-bit value as two unsigned 32-bit halves: several times faster than a BigInt. */
export interface Uint64 {
  readonly high: number;
  readonly low: number;
}

/** Set in every checksum of LTX, so that none is zero. */
const CHECKSUM_FLAG = 0x80000000;
const POLYNOMIAL_HIGH = 0xd8000000;

/** Tables for four bytes at a time ("slicing by 4"): the effect of a byte and `k` zero bytes. */
const HIGH = Array.from({ length: 4 }, () => new Uint32Array(256));
const LOW = Array.from({ length: 4 }, () => new Uint32Array(256));
for (let byte = 0; byte < 256; byte += 1) {
  let high = 0;
  let low = byte;
  for (let bit = 0; bit < 8; bit += 1) {
    const isSet = low & 1;
    low = ((low >>> 1) | (high << 31)) >>> 0;
    high = ((high >>> 1) ^ (isSet ? POLYNOMIAL_HIGH : 0)) >>> 0;
  }
  HIGH[0]![byte] = high;
  LOW[0]![byte] = low;
}
for (let k = 1; k < 4; k += 1)
  for (let byte = 0; byte < 256; byte += 1) {
    const high = HIGH[k - 1]![byte]!;
    const low = LOW[k - 1]![byte]!;
    const index = low & 0xff;
    HIGH[k]![byte] = (high >>> 8) ^ HIGH[0]![index]!;
    LOW[k]![byte] = ((low >>> 8) | (high << 24)) ^ LOW[0]![index]!;
  }
const [HIGH0, HIGH1, HIGH2, HIGH3] = HIGH as [Uint32Array, Uint32Array, Uint32Array, Uint32Array];
const [LOW0, LOW1, LOW2, LOW3] = LOW as [Uint32Array, Uint32Array, Uint32Array, Uint32Array];

/** Returns a function that adds bytes to a checksum, and one that returns it. */
export function createCrc64() {
  let high = 0xffffffff;
  let low = 0xffffffff;
  return {
    update(data: Buffer): void {
      let i = 0;
      for (const end = data.length - 3; i < end; i += 4) {
        const x =
          low ^ (data[i]! | (data[i + 1]! << 8) | (data[i + 2]! << 16) | (data[i + 3]! << 24));
        const a = x & 0xff;
        const b = (x >>> 8) & 0xff;
        const c = (x >>> 16) & 0xff;
        const d = x >>> 24;
        low = high ^ LOW3[a]! ^ LOW2[b]! ^ LOW1[c]! ^ LOW0[d]!;
        high = HIGH3[a]! ^ HIGH2[b]! ^ HIGH1[c]! ^ HIGH0[d]!;
      }
      for (; i < data.length; i += 1) {
        const index = (low ^ data[i]!) & 0xff;
        low = ((low >>> 8) | (high << 24)) ^ LOW0[index]!;
        high = (high >>> 8) ^ HIGH0[index]!;
      }
    },
    /** Returns the checksum with LTX's flag. */
    digest: (): Uint64 => ({ high: (~high | CHECKSUM_FLAG) >>> 0, low: ~low >>> 0 }),
  };
}

/** Returns LTX's checksum of a page of the database. */
export function checksumPage(pageNumber: number, page: Buffer): Uint64 {
  const crc = createCrc64();
  const number = Buffer.allocUnsafe(4);
  number.writeUInt32BE(pageNumber);
  crc.update(number);
  crc.update(page);
  return crc.digest();
}

/** Returns 16 hexadecimal digits. */
export const formatChecksum = ({ high, low }: Uint64): string =>
  high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0");

/**
 * The checksum of a database: LTX XORs the checksums of its pages, so that a transaction changes it
 * without a pass over the others.
 */
export class DatabaseChecksum {
  #high = 0;
  #low = 0;

  /** Adds the checksum of a page, or removes one that was added. */
  toggle({ high, low }: Uint64): void {
    this.#high ^= high;
    this.#low ^= low;
  }

  toString(): string {
    return formatChecksum({ high: (this.#high | CHECKSUM_FLAG) >>> 0, low: this.#low >>> 0 });
  }
}
