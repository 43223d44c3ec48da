// Collects the bytes of a body in one buffer. A list of its chunks would take about 500 bytes for each,
// even for a chunk of one byte.

/** A buffer that grows as chunks are appended. */
export class ByteBuffer {
  #buffer = Buffer.alloc(0);
  #length = 0;

  /** Copies the chunk, so that it doesn't keep the memory that it is a part of. */
  append(chunk: Uint8Array): void {
    const length = this.#length + chunk.byteLength;
    if (length > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length, this.#buffer.length * 2));
      larger.set(this.bytes);
      this.#buffer = larger;
    }
    this.#buffer.set(chunk, this.#length);
    this.#length = length;
  }

  /** What was appended. It shares memory with this buffer, which only grows. */
  get bytes(): Buffer<ArrayBuffer> {
    return this.#buffer.subarray(0, this.#length);
  }
}
