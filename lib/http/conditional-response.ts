// Answers conditional requests for public bodies with 200 or 304.

import { createHash } from "node:crypto";

export interface CacheableBody {
  readonly body: string | Uint8Array<ArrayBuffer>;
  readonly etag: string;
}

/** Returns `body` with its ETag. The tag is weak, since compression on the way changes the bytes. */
export function createCacheableBody(body: string | Uint8Array<ArrayBuffer>): CacheableBody {
  return {
    body,
    etag: `W/"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`,
  };
}

/** Returns 304 if the request has the body's tag, else 200. Publicly cacheable, and stale for an hour more while it revalidates. */
export function conditionalResponse(
  request: Request,
  { body, etag }: CacheableBody,
  contentType: string,
  maxAgeSeconds: number,
  extra: Record<string, string> = {},
): Response {
  const headers = {
    "cache-control": `public, max-age=${maxAgeSeconds}, stale-while-revalidate=3600`,
    etag,
    "x-content-type-options": "nosniff",
    ...extra,
  };
  const clientTags = (request.headers.get("if-none-match") ?? "")
    .split(",")
    .map((tag) => tag.trim().replace(/^W\//, ""));
  if (clientTags.includes("*") || clientTags.includes(etag.replace(/^W\//, "")))
    return new Response(null, { status: 304, headers });
  return new Response(body, { headers: { ...headers, "content-type": contentType } });
}
