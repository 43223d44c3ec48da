// Builds the JSON response with the state of an upload.

import type { UploadState } from "#lib/calls/upload.ts";

/** Returns 200 with `{id, size, partBytes, parts, received}`, not cacheable. */
export function uploadStateResponse({
  id,
  size,
  partBytes,
  parts,
  received,
}: UploadState): Response {
  return Response.json(
    { id, size, partBytes, parts, received },
    { headers: { "cache-control": "no-store" } },
  );
}
