// How far an upload came, as JSON.

import type { UploadState } from "#lib/calls/upload.ts";

/** 200 with `{id, size, partBytes, parts, received}`, kept by nobody. */
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
