// Serves audio with byte ranges and ETags, as browsers request it for playing and seeking.

import { createHash } from "node:crypto";
import { parseByteRange } from "#lib/http/byte-range.ts";
import { AppError } from "#lib/core/errors.ts";
import { matchesETag } from "#lib/http/conditional-response.ts";
import { contentDisposition } from "#lib/http/content-disposition.ts";
import { clientKey } from "#lib/http/client-key.ts";
import { streamWithIdleTimeout } from "#lib/http/stream-with-idle-timeout.ts";
import { Semaphore } from "#lib/core/semaphore.ts";
import { currentRequestContext } from "#lib/core/request-context.ts";
import { findClientAddress } from "#lib/http/client-address.ts";
import { singleton } from "#lib/core/singleton.ts";

interface AudioPayload {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  /** Includes the extension. May contain any text, because contentDisposition() escapes it. */
  readonly filename: string;
  /** Text that changes with the bytes, for a strong ETag; by default a hash of the bytes. */
  readonly etag?: string;
  readonly cacheControl: string;
}

const CHUNK_BYTES = 64 * 1024;
/**
 * Ranges up to this size are copied so they don't retain the whole file; 256 of them take 64 MB.
 */
const MAX_COPY_BYTES = 256 * 1024;
/**
 * Maximum total size of the files being streamed. A file counts once, however many clients play it.
 */
const MAX_OPEN_BYTES = 192_000_000;

interface SharedBuffer {
  readonly bytes: Uint8Array;
  refCount: number;
}

interface StreamState {
  readonly whole: Semaphore;
  readonly parts: Semaphore;
  readonly open: Map<string, SharedBuffer>;
}
const streamState = () =>
  singleton<StreamState>("audio-streams", () => ({
    whole: new Semaphore(64, 16),
    parts: new Semaphore(256, 32),
    open: new Map(),
  }));

const BUSY_MESSAGE = "Many people are listening right now. Try again in a minute.";
const REFUSAL = {
  perKeyMessage: "You are loading too many recordings at the same time. Try again in a moment.",
  totalMessage: BUSY_MESSAGE,
  retryAfterSeconds: 30,
};

/**
 * Retains `bytes` for a response. Responses with the same `key` share one buffer, so the key must
 * change with the bytes. Throws AppError(rate_limited) above MAX_OPEN_BYTES.
 */
function retainBuffer(key: string, bytes: Uint8Array): { bytes: Uint8Array; release(): void } {
  const { open } = streamState();
  if (!open.has(key)) {
    const sum = [...open.values()].reduce(
      (total, each) => total + each.bytes.byteLength,
      bytes.byteLength,
    );
    if (open.size > 0 && sum > MAX_OPEN_BYTES)
      throw new AppError("rate_limited", BUSY_MESSAGE, {
        retryAfterSeconds: REFUSAL.retryAfterSeconds,
      });
  }
  const shared = open.get(key) ?? { bytes, refCount: 0 };
  shared.refCount += 1;
  open.set(key, shared);
  return {
    bytes: shared.bytes,
    release() {
      shared.refCount -= 1;
      if (shared.refCount === 0) open.delete(key);
    },
  };
}

/** Copies a range. The database returns Buffers, whose slice() doesn't copy. */
const copyRange = (bytes: Uint8Array, start: number, end: number) =>
  new Uint8Array(bytes.subarray(start, end));

/**
 * Streams a range with backpressure. Chunks are copies, so a chunk waiting in a socket doesn't
 * retain the whole file.
 */
function streamRange(
  request: Request,
  source: { key: string; bytes: Uint8Array; start: number; end: number },
): ReadableStream<Uint8Array> {
  const { whole, parts } = streamState();
  const { key, start, end } = source;
  const isPart = end - start < MAX_COPY_BYTES;
  const client = clientKey(findClientAddress(request));
  const releasePermit = (isPart ? parts : whole).acquire(client, REFUSAL);
  let buffer: ReturnType<typeof retainBuffer> | null;
  try {
    buffer = isPart
      ? { bytes: copyRange(source.bytes, start, end + 1), release() {} }
      : retainBuffer(key, source.bytes);
  } catch (error) {
    releasePermit();
    throw error;
  }
  const offset = isPart ? start : 0;
  let at = start;
  const connection = currentRequestContext()?.response;
  return streamWithIdleTimeout({
    nextChunk() {
      if (!buffer || at > end) return null;
      const chunkStart = at;
      at = Math.min(at + CHUNK_BYTES, end + 1);
      return copyRange(buffer.bytes, chunkStart - offset, at - offset);
    },
    onEnd() {
      buffer?.release();
      buffer = null;
      releasePermit();
    },
    onTimeout: () => void connection?.destroy(),
  });
}

/**
 * Returns 200, 206 (one range; several get a 200), 304 or 416; HEAD gets no body. A client that
 * reads nothing for a minute is disconnected. Throws AppError(rate_limited) above 16 concurrent
 * responses per client or 64 in total (ranges up to 256 kB: 32 and 256), or above 192 MB of files
 * being streamed.
 */
export function audioResponse(
  request: Request,
  { bytes, contentType, filename, etag, cacheControl }: AudioPayload,
): Response {
  // Encoded, because a migrated call's ID may contain characters that a header may not.
  const tag = `"${encodeURIComponent(etag ?? createHash("sha256").update(bytes).digest("base64url").slice(0, 27))}"`;
  const headers = {
    "content-type": contentType,
    "x-content-type-options": "nosniff",
    // Prevents XSS: a file opened as a document must not run scripts.
    "content-security-policy": "default-src 'none'; media-src 'self'; sandbox",
    "cross-origin-resource-policy": "same-origin",
    "content-disposition": contentDisposition(filename),
    "cache-control": cacheControl,
    "accept-ranges": "bytes",
    etag: tag,
  };
  if (matchesETag(request.headers.get("if-none-match"), tag))
    return new Response(null, { status: 304, headers });
  const size = bytes.byteLength;
  const ifRange = request.headers.get("if-range");
  const range =
    ifRange !== null && ifRange.trim() !== tag
      ? null
      : parseByteRange(request.headers.get("range"), size);
  if (range === "bad")
    return new Response(null, {
      status: 416,
      headers: { ...headers, "content-range": `bytes */${size}` },
    });
  const { start, end } = range ?? { start: 0, end: size - 1 };
  const length = String(end - start + 1);
  const body =
    request.method === "HEAD"
      ? null
      : streamRange(request, { key: `${tag} ${size}`, bytes, start, end });
  // Next drops Content-Length, but some podcast apps don't download an enclosure without it.
  const nodeResponse = currentRequestContext()?.response;
  if (nodeResponse && !nodeResponse.headersSent) nodeResponse.setHeader("content-length", length);
  return new Response(body, {
    status: range ? 206 : 200,
    headers: {
      ...headers,
      "content-length": length,
      ...(range && { "content-range": `bytes ${start}-${end}/${size}` }),
    },
  });
}
