// Something that is the same for everybody, and need not be sent to who has it already.

import { createHash } from "node:crypto";

export interface CacheableBody {
  readonly body: string | Uint8Array<ArrayBuffer>;
  readonly etag: string;
}

/** `body` with the tag that stands for it. Weak, because what compresses it on the way may change its bytes. */
export function createCacheableBody(body: string | Uint8Array<ArrayBuffer>): CacheableBody {
  return {
    body,
    etag: `W/"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`,
  };
}

/**
 * The answer to `request`: 200, or 304 when it names the body's tag. Anyone may keep it for `maxAgeSeconds`,
 * and show it for an hour more while asking anew.
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
  const known = (request.headers.get("if-none-match") ?? "")
    .split(",")
    .map((tag) => tag.trim().replace(/^W\//, ""));
  if (known.includes("*") || known.includes(etag.replace(/^W\//, "")))
    return new Response(null, { status: 304, headers });
  return new Response(body, { headers: { ...headers, "content-type": contentType } });
}
