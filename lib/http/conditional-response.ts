// Responds to conditional requests for public bodies with 200 or 304 (RFC 9110, 13.1.2).

import { createHash } from "node:crypto";

export interface CacheableBody {
  readonly body: string | Uint8Array<ArrayBuffer>;
  readonly etag: string;
}

/** Returns the ETag of `body`, a weak one because compression in transit changes the bytes. */
export const createETag = (body: string | Uint8Array): string =>
  `W/"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;

export const createCacheableBody = (body: CacheableBody["body"]): CacheableBody => ({
  body,
  etag: createETag(body),
});

/** Returns whether If-None-Match names `etag`, by weak comparison (RFC 9110, 8.8.3.2). */
export function matchesETag(ifNoneMatch: string | null | undefined, etag: string): boolean {
  const tags = (ifNoneMatch ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes("*") || tags.includes(etag.replace(/^W\//, ""));
}

/**
 * Returns 304 if If-None-Match has the body's ETag, otherwise 200. Publicly cacheable for
 * `maxAgeSeconds`, plus an hour of stale-while-revalidate.
 */
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
  if (matchesETag(request.headers.get("if-none-match"), etag))
    return new Response(null, { status: 304, headers });
  return new Response(body, { headers: { ...headers, "content-type": contentType } });
}
