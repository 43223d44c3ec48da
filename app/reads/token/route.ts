// GET /reads/token?slug=: issues a dwell token for a page that was just opened, because the page
// itself may come from a cache.

import { getCountablePost } from "#app/reads/countable-post.ts";
import { withErrorResponse } from "#lib/http/error-response.ts";
import { nowMs } from "#lib/core/clock.ts";
import { issueDwellToken, getMinDwellMs } from "#lib/reading/dwell-token.ts";

/** Returns `{token, minMs}`: the read counts after `minMs`. 404 for drafts and unknown posts. */
export function GET(request: Request): Promise<Response> {
  return withErrorResponse(request, async () => {
    const { slug, readingMinutes } = await getCountablePost(
      new URL(request.url).searchParams.get("slug") ?? "",
    );
    return Response.json(
      { token: issueDwellToken({ slug, nowMs: nowMs() }), minMs: getMinDwellMs(readingMinutes) },
      { headers: { "cache-control": "no-store" } },
    );
  });
}
