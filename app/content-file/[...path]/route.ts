// Serves a file that is next to a post: an image, video, sound or document.

import { AppError } from "#lib/core/errors.ts";
import { withErrorResponse } from "#lib/http/error-response.ts";
import { decodeParam } from "#lib/http/search-params.ts";
import { findContentFile } from "#lib/posts/catalog/site-catalog.ts";
import { contentFileResponse, servedContentType } from "#lib/posts/source/content-file-response.ts";

export const dynamic = "force-dynamic";

export function GET(request: Request): Promise<Response> {
  return withErrorResponse(request, async () => {
    const url = new URL(request.url);
    const path = decodeParam(url.pathname.replace(/^\/content-file\//, ""));
    // Looks up the path in the list of files, never on disk, which prevents path traversal.
    const content =
      servedContentType(path) === null
        ? null
        : await findContentFile(path, url.searchParams.get("v"));
    if (!content) throw new AppError("not_found", "Not found.");
    return contentFileResponse(request, content.file, content.open);
  });
}
