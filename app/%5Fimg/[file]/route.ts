// Serves an image of the content or of public in one width and format, or an SVG without scripts.

import { isAppError } from "#lib/core/errors.ts";
import { log } from "#lib/core/log.ts";
import { findImageFile } from "#lib/posts/catalog/site-catalog.ts";
import { getVariant, parseVariantName, peekVariant } from "#lib/posts/images/content-image.ts";
import { getSanitizedSvg } from "#lib/posts/images/sanitized-svg.ts";
import { contentHeaders } from "#lib/posts/source/content-file-response.ts";

export const dynamic = "force-dynamic";

export async function GET(
  _request: Request,
  { params }: { params: Promise<{ file: string }> },
): Promise<Response> {
  const { file: name } = await params;
  const variant = parseVariantName(name);
  if (variant) {
    const stored = peekVariant(variant);
    if (stored) return imageResponse(name, stored);
  }
  const svgSha = /^([0-9a-f]{40})\.svg$/.exec(name)?.[1];
  const blobSha = variant?.blobSha ?? svgSha;
  const image = blobSha === undefined ? null : await findImageFile(blobSha);
  if (!image || (svgSha !== undefined && !/\.svg$/i.test(image.file.path))) return notFound();
  try {
    if (!variant)
      return imageResponse(name, await getSanitizedSvg(image.file.blobSha, () => image.read()));
    const bytes = await getVariant(image, variant);
    return bytes ? imageResponse(name, bytes) : notFound();
  } catch (error) {
    if (!isAppError(error)) throw error;
    // On a busy machine, the reader gets the original instead of an error.
    log("warn", "image.variant_failed", { file: image.file.path, variant: name, error });
    return new Response(null, {
      status: 302,
      headers: { Location: image.url, "Cache-Control": "no-store" },
    });
  }
}

function imageResponse(name: string, bytes: Uint8Array): Response {
  return new Response(new Uint8Array(bytes), {
    headers: { ...contentHeaders(name, true), "Content-Length": String(bytes.byteLength) },
  });
}

function notFound(): Response {
  return new Response("Not found.\n", {
    status: 404,
    headers: { "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store" },
  });
}
