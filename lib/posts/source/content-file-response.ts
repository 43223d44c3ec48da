// Serves a file that lies beside a post, for content that was not there at build.

import { parseByteRange } from "#lib/http/byte-range.ts";
import type { ContentFile } from "./content-source.ts";

/** What may be shown; anything else beside a post (its components, its measurements) is not for readers. */
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
 * An SVG can hold a script: opened by itself it must not run as ours. In case something in front replaces this header,
 * it is also sent as a download, which `<img>` does not care about.
 */
const CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox";
const YEAR_SECONDS = 31_536_000;

/** The type that a file is served with, or null for one that is not served. */
export function servedContentType(path: string): string | null {
  const extension = /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase() ?? "";
  return Object.hasOwn(CONTENT_TYPES, extension) ? CONTENT_TYPES[extension]! : null;
}

/** Where the file can be had; another version of it has another URL. */
export function contentFileUrl({ path, blob }: Pick<ContentFile, "path" | "blob">): string {
  return `/content-file/${path.split("/").map(encodeURIComponent).join("/")}?v=${blob}`;
}

/**
 * The answer for `file`, one that servedType() allows; `read` is called only if its bytes are needed. Kept by
 * browsers for a year when asked for by its own version, asked about again otherwise. Parts of it for films.
 */
export async function contentFileResponse(
  request: Request,
  file: ContentFile,
  read: () => Promise<Uint8Array>,
): Promise<Response> {
  const etag = `"${file.blob}"`;
  const isThisVersion = new URL(request.url).searchParams.get("v") === file.blob;
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
