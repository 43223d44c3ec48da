// How sound is sent: whole or in part, as browsers ask for it to play and to jump.

import { createHash } from "node:crypto";
import { parseByteRange } from "#lib/http/byte-range.ts";
import { AppError } from "#lib/core/errors.ts";
import { clientKey } from "#lib/http/client-key.ts";
import { streamWithIdleTimeout } from "#lib/http/stream-with-idle-timeout.ts";
import { Semaphore } from "#lib/core/semaphore.ts";
import { currentRequestContext } from "#lib/core/request-context.ts";
import { getClientAddress } from "#lib/http/client-address.ts";
import { singleton } from "#lib/core/singleton.ts";

interface AudioPayload {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  /** With its extension; any text, made safe here. */
  readonly filename: string;
  /** Strong, without quotes; by default made from the bytes. */
  readonly etag?: string;
  readonly cacheControl: string;
}

const CHUNK_BYTES = 64 * 1024;
/** A part up to this is copied, so that it holds nothing else: 256 of them are 64 MB. */
const MAX_COPY_BYTES = 256 * 1024;
/** What the sounds that are being sent may come to, each counted once however many hear it. */
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

const BUSY_MESSAGE = "Many people listen just now. Try again in a minute.";
const REFUSAL = {
  perKeyMessage:
    "You are loading many recordings at the same time. Try again when some of them have ended.",
  totalMessage: BUSY_MESSAGE,
  retryAfterSeconds: 30,
};

/** A name for a file in every header and on every disk: ASCII for old clients, the whole of it in UTF-8 (RFC 6266, RFC 8187). */
function contentDisposition(filename: string): string {
  const dot = filename.lastIndexOf(".");
  const [name, extension] =
    dot > 0 ? [filename.slice(0, dot), filename.slice(dot)] : [filename, ""];
  const clean = (text: string) =>
    text
      .toWellFormed()
      .replace(
        /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069/\\:*?"<>|]+/g,
        " ",
      )
      .replace(/\s+/g, " ")
      .replace(/^[ .]+|[ .]+$/g, "");
  const whole = `${[...clean(name)].slice(0, 80).join("").trim() || "recording"}${clean(extension) && `.${clean(extension)}`}`;
  const ascii = whole
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .replace(/[^\x20-\x7e]+/g, "_")
    .replace(/[%;']/g, "_");
  const utf8 = encodeURIComponent(whole).replace(
    /['()*!]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `inline; filename="${ascii}"; filename*=UTF-8''${utf8}`;
}

/**
 * Holds `bytes` for one more listener, as the copy that others hear already where there is one (`key` changes whenever the bytes do).
 * Throws AppError(rate_limited) when the sounds that are held come to too much.
 */
function retainBuffer(key: string, bytes: Uint8Array): { bytes: Uint8Array; release(): void } {
  const { open } = streamState();
  const known = open.get(key);
  if (!known) {
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

/** Piece by piece, as the reader takes it. The pieces are copies: one that a slow reader leaves in the socket holds no more than itself. */
function streamRange(
  request: Request,
  sound: { key: string; bytes: Uint8Array; start: number; end: number },
): ReadableStream<Uint8Array> {
  const { whole, parts } = streamState();
  const { key, start, end } = sound;
  const isPart = end - start < MAX_COPY_BYTES;
  const address = getClientAddress(request);
  const free = (isPart ? parts : whole).acquire(address ? clientKey(address) : "unknown", REFUSAL);
  let held: ReturnType<typeof retainBuffer> | null;
  try {
    held = isPart
      ? { bytes: sound.bytes.slice(start, end + 1), release() {} }
      : retainBuffer(key, sound.bytes);
  } catch (error) {
    free();
    throw error;
  }
  const offset = isPart ? start : 0;
  let at = start;
  const connection = currentRequestContext()?.response;
  return streamWithIdleTimeout({
    nextChunk() {
      if (!held || at > end) return null;
      const from = at;
      at = Math.min(at + CHUNK_BYTES, end + 1);
      return held.bytes.slice(from - offset, at - offset);
    },
    onEnd() {
      held?.release();
      held = null;
      free();
    },
    onIdleTimeout: () => void connection?.destroy(),
  });
}

/**
 * 200 with the whole, 206 with the one range that was asked for (several: the whole), 416 for one outside, 304 when the
 * client has it. An If-Range that doesn't name these bytes gets the whole. HEAD gets the same without a body.
 * A listener who takes nothing for a minute is given up. Throws AppError(rate_limited) for more than 16 at once of a client, 64 in all
 * (parts up to 256 kB: 32 and 256), and when the sounds that are being sent come to more than 192 MB.
 */
export function audioResponse(
  request: Request,
  { bytes, contentType, filename, etag, cacheControl }: AudioPayload,
): Response {
  const tag = `"${etag ?? createHash("sha256").update(bytes).digest("base64url").slice(0, 27)}"`;
  const headers = {
    "content-type": contentType,
    "x-content-type-options": "nosniff",
    // Opened by itself it is a file and nothing else.
    "content-security-policy": "default-src 'none'; media-src 'self'; sandbox",
    "cross-origin-resource-policy": "same-origin",
    "content-disposition": contentDisposition(filename),
    "cache-control": cacheControl,
    "accept-ranges": "bytes",
    etag: tag,
  };
  const known = request.headers
    .get("if-none-match")
    ?.split(",")
    .map((each) => each.trim().replace(/^W\//, ""));
  if (known && (known.includes("*") || known.includes(tag)))
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
  // Next drops the length of every answer, and podcast apps want it: an enclosure without one has no progress and, with some, no download.
  const raw = currentRequestContext()?.response;
  if (raw && !raw.headersSent) raw.setHeader("content-length", length);
  return new Response(body, {
    status: range ? 206 : 200,
    headers: {
      ...headers,
      "content-length": length,
      ...(range && { "content-range": `bytes ${start}-${end}/${size}` }),
    },
  });
}
