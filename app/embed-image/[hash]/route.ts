// Serves the image of a link preview from the cache, so that readers' browsers never contact its host.

import { matchesETag } from "#lib/http/conditional-response.ts";
import { findPreviewImage } from "#lib/posts/link-previews/preview-registry.ts";

export const dynamic = "force-dynamic";

/** Cacheable, since the URL changes with the image; a missing one may become available soon. */
const FOUND_CACHE_CONTROL = "public, max-age=2592000, stale-while-revalidate=31536000";
const MISSING_CACHE_CONTROL = "public, max-age=60";

export async function GET(
  request: Request,
  { params }: { params: Promise<{ hash: string }> },
): Promise<Response> {
  const image = await findPreviewImage((await params).hash);
  if (!image)
    return new Response("Image not found.\n", {
      status: 404,
      headers: {
        "cache-control": MISSING_CACHE_CONTROL,
        "content-type": "text/plain; charset=utf-8",
      },
    });
  const etag = `"${image.version}"`;
  const headers = {
    etag,
    "cache-control": FOUND_CACHE_CONTROL,
    "content-type": "image/webp",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox",
  };
  if (matchesETag(request.headers.get("if-none-match"), etag))
    return new Response(null, { status: 304, headers });
  return new Response(Buffer.from(image.base64, "base64"), { headers });
}
