// How sound is sent: whole or in part, as browsers ask for it to play and to jump.

import { createHash } from "node:crypto";
import { byteRange } from "#lib/base/byte-range.ts";

interface Audio {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  /** With its extension; any text, made safe here. */
  readonly filename: string;
  /** Strong, without quotes; by default made from the bytes. */
  readonly etag?: string;
  readonly cacheControl: string;
}

const CHUNK_BYTES = 64 * 1024;

/** A name for a file in every header and on every disk: ASCII for old clients, the whole of it in UTF-8 (RFC 6266, RFC 8187). */
function disposition(filename: string): string {
  const dot = filename.lastIndexOf(".");
  const [name, extension] = dot > 0 ? [filename.slice(0, dot), filename.slice(dot)] : [filename, ""];
  // eslint-disable-next-line no-control-regex -- they don't belong in names
  const clean = (text: string) => text.toWellFormed().replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069/\\:*?"<>|]+/g, " ").replace(/\s+/g, " ").replace(/^[ .]+|[ .]+$/g, "");
  const whole = `${[...clean(name)].slice(0, 80).join("").trim() || "recording"}${clean(extension) && `.${clean(extension)}`}`;
  const ascii = whole.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").replace(/[^\x20-\x7e]+/g, "_").replace(/[%;']/g, "_");
  const utf8 = encodeURIComponent(whole).replace(/['()*!]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
  return `inline; filename="${ascii}"; filename*=UTF-8''${utf8}`;
}

/** Piece by piece, as the reader takes it: a slow one holds no copy. */
function stream(bytes: Uint8Array, from: number, end: number): ReadableStream<Uint8Array> {
  let at = from;
  return new ReadableStream(
    {
      pull(controller) {
        const next = Math.min(at + CHUNK_BYTES, end + 1);
        if (next > at) controller.enqueue(bytes.subarray(at, next));
        at = next;
        if (at > end) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}

/**
 * 200 with the whole, 206 with the one range that was asked for (several: the whole), 416 for one outside, 304 when the
 * client has it. An If-Range that doesn't name these bytes gets the whole. HEAD gets the same without a body.
 */
export function audioResponse(request: Request, { bytes, contentType, filename, etag, cacheControl }: Audio): Response {
  const tag = `"${etag ?? createHash("sha256").update(bytes).digest("base64url").slice(0, 27)}"`;
  const headers = {
    "content-type": contentType,
    "x-content-type-options": "nosniff",
    // Opened by itself it is a file and nothing else.
    "content-security-policy": "default-src 'none'; media-src 'self'; sandbox",
    "cross-origin-resource-policy": "same-origin",
    "content-disposition": disposition(filename),
    "cache-control": cacheControl,
    "accept-ranges": "bytes",
    etag: tag,
  };
  const known = request.headers.get("if-none-match")?.split(",").map((each) => each.trim().replace(/^W\//, ""));
  if (known && (known.includes("*") || known.includes(tag))) return new Response(null, { status: 304, headers });
  const size = bytes.byteLength;
  const ifRange = request.headers.get("if-range");
  const range = ifRange !== null && ifRange.trim() !== tag ? null : byteRange(request.headers.get("range"), size);
  if (range === "bad") return new Response(null, { status: 416, headers: { ...headers, "content-range": `bytes */${size}` } });
  const { start, end } = range ?? { start: 0, end: size - 1 };
  return new Response(request.method === "HEAD" ? null : stream(bytes, start, end), {
    status: range ? 206 : 200,
    headers: { ...headers, "content-length": String(end - start + 1), ...(range && { "content-range": `bytes ${start}-${end}/${size}` }) },
  });
}
