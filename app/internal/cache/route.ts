// POST /internal/cache: the primary has an entry of this instance's cache deleted, after it was written down who wanted it.

import { z } from "zod";
import { cacheCall } from "../../_site/cache-call.ts";
import { answer } from "#lib/action/answer.ts";
import { isInternal } from "#lib/base/internal-call.ts";
import { AppError } from "#lib/base/errors.ts";
import { readBody } from "#lib/base/read-body.ts";
import { deleteCacheKey } from "#lib/cache/cache.ts";
import { currentInstance } from "#lib/litefs/instance.ts";

export const dynamic = "force-dynamic";

const MAX_BYTES = 65_536;
const shape = z.object({ key: z.string().min(1).max(10_000) });

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}

/** `{deleted}`: whether it was there. The signature is about this key on this instance: overheard, it deletes nothing else. 404 without one. */
export function POST(request: Request): Promise<Response> {
  return answer(request, async () => {
    const nothing = new AppError("not_found", "Not found.");
    // A stranger's body is not worth reading.
    if (!request.headers.has("x-lectern-internal")) throw nothing;
    const { success, data } = shape.safeParse(
      parsed(await readBody(request, { maxBytes: MAX_BYTES })),
    );
    if (!success || !isInternal(request.headers, cacheCall(currentInstance(), data.key)))
      throw nothing;
    return Response.json(
      { deleted: deleteCacheKey(data.key) },
      { headers: { "cache-control": "no-store" } },
    );
  });
}
