// Serves a file that is next to a post: an image, video, sound or document.

import { findContentFile } from "#lib/posts/catalog/site-catalog.ts";
import { isAppError, httpStatusFor } from "#lib/core/errors.ts";
import { contentFileResponse, servedContentType } from "#lib/posts/source/content-file-response.ts";

export const dynamic = "force-dynamic";

function errorResponse(
  status: number,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return new Response(`${message}\n`, {
    status,
    headers: {
      "Content-Type": "text/plain; charset=utf-8",
      "Cache-Control": "no-store",
      ...headers,
    },
  });
}

export async function GET(request: Request): Promise<Response> {
  const url = new URL(request.url);
  let path: string;
  try {
    path = decodeURIComponent(url.pathname.replace(/^\/content-file\//, ""));
  } catch {
    return errorResponse(404, "Not found.");
  }
  if (servedContentType(path) === null) return errorResponse(404, "Not found.");
  try {
    // Looks up the path in the list of files, never on disk, which prevents path traversal.
    const content = await findContentFile(path, url.searchParams.get("v"));
    return content
      ? await contentFileResponse(request, content.file, content.open)
      : errorResponse(404, "Not found.");
  } catch (error) {
    if (!isAppError(error)) throw error;
    return errorResponse(
      httpStatusFor(error),
      error.message,
      error.retryAfterSeconds ? { "Retry-After": String(error.retryAfterSeconds) } : {},
    );
  }
}
