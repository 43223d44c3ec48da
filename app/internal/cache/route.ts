// POST /internal/cache: deletes an entry of this instance's cache. The primary sends it, after it
// has logged the action.

import { z } from "zod";
import { deleteEntryPayload } from "#lib/cache/inspect-cache.ts";
import { withErrorResponse } from "#lib/http/error-response.ts";
import { isInternalRequest } from "#lib/core/internal-request-signature.ts";
import { AppError } from "#lib/core/errors.ts";
import { readBody } from "#lib/http/read-body.ts";
import { deleteCacheKey } from "#lib/cache/define-cache.ts";
import { currentInstance } from "#lib/core/instance.ts";

export const dynamic = "force-dynamic";

const MAX_BODY_BYTES = 65_536;
const bodySchema = z.object({ key: z.string().min(1).max(10_000) });

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}

/**
 * Returns `{deleted}`; 404 without a signature. The signature covers key and instance, so a
 * replayed request deletes nothing else.
 */
export function POST(request: Request): Promise<Response> {
  return withErrorResponse(request, async () => {
    const notFound = new AppError("not_found", "Not found.");
    // Unsigned bodies are not read.
    if (!request.headers.has("x-lectern-internal")) throw notFound;
    const { success, data } = bodySchema.safeParse(
      parseJson(await readBody(request, { maxBytes: MAX_BODY_BYTES })),
    );
    if (
      !success ||
      !isInternalRequest(request.headers, deleteEntryPayload(currentInstance(), data.key))
    )
      throw notFound;
    return Response.json(
      { deleted: deleteCacheKey(data.key) },
      { headers: { "cache-control": "no-store" } },
    );
  });
}
