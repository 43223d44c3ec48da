// Serves a file of the content: an image, video, sound or document that a post uses.

import { parseByteRange } from "#lib/http/byte-range.ts";
import { matchesETag } from "#lib/http/conditional-response.ts";
import { getSanitizedSvg } from "#lib/posts/images/sanitized-svg.ts";
import type { ContentFile } from "./content-source.ts";

const IMAGE_TYPES: Readonly<Record<string, string>> = {
  png: "image/png",
  apng: "image/apng",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  webp: "image/webp",
  avif: "image/avif",
  gif: "image/gif",
  svg: "image/svg+xml",
};

/**
 * Content types of files that are served. Other files next to a post, such as components, are not
 * public.
 */
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  ...IMAGE_TYPES,
  mp4: "video/mp4",
  m4v: "video/mp4",
  mov: "video/quicktime",
  webm: "video/webm",
  ogv: "video/ogg",
  mp3: "audio/mpeg",
  m4a: "audio/mp4",
  ogg: "audio/ogg",
  oga: "audio/ogg",
  opus: "audio/ogg",
  wav: "audio/wav",
  flac: "audio/flac",
  vtt: "text/vtt; charset=utf-8",
  pdf: "application/pdf",
  zip: "application/zip",
  epub: "application/epub+zip",
  docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  pptx: "application/vnd.openxmlformats-officedocument.presentationml.presentation",
  csv: "text/csv; charset=utf-8",
  txt: "text/plain; charset=utf-8",
};

/** File extensions that are served, without the dot. */
export const SERVED_EXTENSIONS = Object.keys(CONTENT_TYPES);

/** Prevents XSS by scripts in an SVG that is opened directly. */
const CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox";
/**
 * Sent as downloads: browsers show no PDF in a sandbox, and a proxy may replace the policy of an
 * SVG. `<img>` ignores this.
 */
const ATTACHMENT = /\.(?:svg|pdf|zip|epub|docx|xlsx|pptx|csv)$/i;
const YEAR_SECONDS = 31_536_000;

/** Returns the content type of a file, or null if it is not served. */
export function servedContentType(path: string): string | null {
  const extension = extensionOf(path);
  return Object.hasOwn(CONTENT_TYPES, extension) ? CONTENT_TYPES[extension]! : null;
}

/** Returns whether the path is of an image, by its extension. */
export function isImagePath(path: string): boolean {
  return Object.hasOwn(IMAGE_TYPES, extensionOf(path));
}

function extensionOf(path: string): string {
  return /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase() ?? "";
}

/** Returns the file's URL, which changes with its bytes. */
export function contentFileUrl({ path, blobSha }: Pick<ContentFile, "path" | "blobSha">): string {
  return `/content-file/${path.split("/").map(encodeURIComponent).join("/")}?v=${blobSha}`;
}

/**
 * Returns the response for `file`, which servedContentType must allow; calls `open` only if bytes
 * are needed. Cached for a year if the URL names this version, else for a minute. Supports byte
 * ranges. Scripts are removed from an SVG.
 */
export async function contentFileResponse(
  request: Request,
  file: ContentFile,
  open: OpenFile,
): Promise<Response> {
  const etag = `"${file.blobSha}"`;
  const isThisVersion = new URL(request.url).searchParams.get("v") === file.blobSha;
  const headers = {
    ...contentHeaders(file.path, isThisVersion),
    "Accept-Ranges": "bytes",
    ETag: etag,
  };
  if (matchesETag(request.headers.get("if-none-match"), etag))
    return new Response(null, { status: 304, headers });
  if (extensionOf(file.path) === "svg")
    return new Response(await getSanitizedSvg(file.blobSha, () => readAll(file, open)), {
      headers,
    });
  const range =
    request.headers.has("if-range") && request.headers.get("if-range") !== etag
      ? null
      : parseByteRange(request.headers.get("range"), file.bytes);
  if (range === "bad")
    return new Response(null, {
      status: 416,
      headers: { ...headers, "Content-Range": `bytes */${file.bytes}` },
    });
  const { start, end } = range ?? { start: 0, end: file.bytes - 1 };
  const isEmpty = request.method === "HEAD" || file.bytes === 0;
  const body = isEmpty ? null : await open(start, end);
  return new Response(body, {
    status: range ? 206 : 200,
    headers: {
      ...headers,
      ...(range && { "Content-Range": `bytes ${start}-${end}/${file.bytes}` }),
      "Content-Length": String(end - start + 1),
    },
  });
}

/** Returns a stream of the bytes from `start` to `end`, both included. */
export type OpenFile = (start: number, end: number) => Promise<ReadableStream<Uint8Array>>;

/** Returns the headers of a file of the content; immutable if its URL changes with its bytes. */
export function contentHeaders(path: string, isImmutable: boolean): Record<string, string> {
  return {
    "Content-Type": servedContentType(path) ?? "application/octet-stream",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    ...(ATTACHMENT.test(path) && { "Content-Disposition": "attachment" }),
    "Cache-Control": isImmutable
      ? `public, max-age=${YEAR_SECONDS}, immutable`
      : "public, max-age=60",
  };
}

async function readAll({ bytes }: ContentFile, open: OpenFile): Promise<Uint8Array> {
  if (bytes === 0) return new Uint8Array();
  return new Uint8Array(await new Response(await open(0, bytes - 1)).arrayBuffer());
}
