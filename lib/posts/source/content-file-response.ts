// Serves a file beside a post that was not part of the build.

import { parseByteRange } from "#lib/http/byte-range.ts";
import type { ContentFile } from "./content-source.ts";

/**
 * Content types of files that are served. Other files beside a post, such as components, are not
 * public.
 */
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  webp: "image/webp",
  avif: "image/avif",
  gif: "image/gif",
  svg: "image/svg+xml",
  mp4: "video/mp4",
};

/**
 * Prevents XSS by scripts in an SVG that is opened directly. In case a proxy replaces this header,
 * SVGs are also sent as attachments, which `<img>` ignores.
 */
const CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox";
const YEAR_SECONDS = 31_536_000;

/** Returns the content type of a file, or null if it is not served. */
export function servedContentType(path: string): string | null {
  const extension = /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase() ?? "";
  return Object.hasOwn(CONTENT_TYPES, extension) ? CONTENT_TYPES[extension]! : null;
}

/** Returns the file's URL, which changes with its bytes. */
export function contentFileUrl({ path, blobSha }: Pick<ContentFile, "path" | "blobSha">): string {
  return `/content-file/${path.split("/").map(encodeURIComponent).join("/")}?v=${blobSha}`;
}

/**
 * Returns the response for `file`, which servedContentType must allow; calls `read` only if bytes
 * are needed. Cached for a year if the URL names this version, else for a minute. Supports byte
 * ranges.
 */
export async function contentFileResponse(
  request: Request,
  file: ContentFile,
  read: () => Promise<Uint8Array>,
): Promise<Response> {
  const etag = `"${file.blobSha}"`;
  const isThisVersion = new URL(request.url).searchParams.get("v") === file.blobSha;
  const headers = {
    "Content-Type": servedContentType(file.path) ?? "application/octet-stream",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    ...(file.path.toLowerCase().endsWith(".svg") && { "Content-Disposition": "attachment" }),
    "Cache-Control": isThisVersion
      ? `public, max-age=${YEAR_SECONDS}, immutable`
      : "public, max-age=60",
    "Accept-Ranges": "bytes",
    ETag: etag,
  };
  if (
    request.headers
      .get("if-none-match")
      ?.split(/\s*,\s*/)
      .some((tag) => tag === etag || tag === `W/${etag}`)
  ) {
    return new Response(null, { status: 304, headers });
  }
  const bytes = await read();
  const range =
    request.headers.has("if-range") && request.headers.get("if-range") !== etag
      ? null
      : parseByteRange(request.headers.get("range"), bytes.byteLength);
  if (range === "bad")
    return new Response(null, {
      status: 416,
      headers: { ...headers, "Content-Range": `bytes */${bytes.byteLength}` },
    });
  if (range) {
    const part = bytes.slice(range.start, range.end + 1);
    return new Response(part, {
      status: 206,
      headers: {
        ...headers,
        "Content-Range": `bytes ${range.start}-${range.end}/${bytes.byteLength}`,
        "Content-Length": String(part.byteLength),
      },
    });
  }
  return new Response(new Uint8Array(bytes), {
    headers: { ...headers, "Content-Length": String(bytes.byteLength) },
  });
}
