// The body of an answer, decompressed, and never more of it than was asked for.

import { pipeline, type Readable, type Transform } from "node:stream";
import { createBrotliDecompress, createGunzip } from "node:zlib";
import { AppError } from "#lib/core/errors.ts";

/** What we say we understand; an answer in anything else is refused. */
export const ACCEPT_ENCODING = "gzip, br";

/** Compressed bytes beyond the limit that are still fine: headers, checksums, stored blocks. */
const COMPRESSION_OVERHEAD_BYTES = 16_384;

export interface ResponseBody {
  readonly bytes: Uint8Array;
  /** True if there was more than `maxBytes` and the caller wanted the start of it. */
  readonly isTruncated: boolean;
}

function createDecompressor(encoding: string): Transform | null {
  switch (encoding.trim().toLowerCase()) {
    case "":
    case "identity":
      return null;
    case "gzip":
    case "x-gzip":
      return createGunzip();
    case "br":
      return createBrotliDecompress();
    default:
      throw new AppError("invalid", "The answer is compressed in a way that was not asked for.");
  }
}

/**
 * Reads `body` to its end or until `maxBytes` of what it decompresses to, whichever comes first; then
 * the stream is destroyed, so a bomb is never unpacked. Throws AppError(too_large) unless `truncate`,
 * and whatever the stream fails with.
 */
export async function readResponseBody(
  body: Readable,
  encoding: string,
  maxBytes: number,
  truncate: boolean,
): Promise<ResponseBody> {
  const tooLarge = () =>
    new AppError("too_large", `The answer is larger than ${Math.ceil(maxBytes / 1_024)} kB.`);
  const decoder = createDecompressor(encoding);
  let source: Readable = body;
  if (decoder) {
    // A compressed stream that yields nothing would otherwise be read until the deadline.
    let packed = 0;
    body.on("data", (chunk: Uint8Array) => {
      packed += chunk.length;
      if (packed > maxBytes + COMPRESSION_OVERHEAD_BYTES) body.destroy(tooLarge());
    });
    source = pipeline(body, decoder, () => {});
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  let truncated = false;
  // Leaving the loop early destroys the stream and, through the pipeline, what feeds it.
  for await (const chunk of source as AsyncIterable<Uint8Array>) {
    const room = maxBytes - size;
    if (chunk.length > room) {
      if (!truncate) throw tooLarge();
      chunks.push(chunk.subarray(0, room));
      truncated = true;
      break;
    }
    chunks.push(chunk);
    size += chunk.length;
  }
  return { bytes: Buffer.concat(chunks), isTruncated: truncated };
}
