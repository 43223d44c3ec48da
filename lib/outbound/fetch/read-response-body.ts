// Reads and decompresses a response body up to a size limit, which stops decompression bombs.

import { pipeline, type Readable, type Transform } from "node:stream";
import { createBrotliDecompress, createGunzip } from "node:zlib";
import { AppError } from "#lib/core/errors.ts";

/** Responses in any other encoding are refused. */
export const ACCEPT_ENCODING = "gzip, br";

/** Compressed bytes allowed beyond the limit, for headers, checksums and stored blocks. */
const COMPRESSION_OVERHEAD_BYTES = 16_384;

interface ResponseBody {
  readonly bytes: Uint8Array;
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
      throw new AppError("invalid", "The response has an unsupported content encoding.");
  }
}

/**
 * Returns up to `maxBytes` decompressed bytes and destroys the stream. Throws the stream's error,
 * or AppError(too_large) for a larger body unless `shouldTruncate`.
 */
export async function readResponseBody(
  body: Readable,
  encoding: string,
  maxBytes: number,
  shouldTruncate: boolean,
): Promise<ResponseBody> {
  const tooLarge = () =>
    new AppError("too_large", `The response is larger than ${Math.ceil(maxBytes / 1_024)} kB.`);
  const decoder = createDecompressor(encoding);
  let source: Readable = body;
  if (decoder) {
    // Limit the input too: a compressed stream that yields no output would be read until the
    // deadline.
    let compressedBytes = 0;
    body.on("data", (chunk: Uint8Array) => {
      compressedBytes += chunk.length;
      if (compressedBytes > maxBytes + COMPRESSION_OVERHEAD_BYTES) body.destroy(tooLarge());
    });
    source = pipeline(body, decoder, () => {});
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  let isTruncated = false;
  // Breaking the loop destroys the stream and, through the pipeline, its source.
  for await (const chunk of source as AsyncIterable<Uint8Array>) {
    const remainingBytes = maxBytes - size;
    if (chunk.length > remainingBytes) {
      if (!shouldTruncate) throw tooLarge();
      chunks.push(chunk.subarray(0, remainingBytes));
      isTruncated = true;
      break;
    }
    chunks.push(chunk);
    size += chunk.length;
  }
  return { bytes: Buffer.concat(chunks), isTruncated };
}
