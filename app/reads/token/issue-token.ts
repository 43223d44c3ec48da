// Issues a dwell token for the post `?slug=` that was just opened, because the page itself may come
// from a cache.

import { getCountablePost } from "#app/reads/countable-post.ts";
import { SECOND_MS, nowMs } from "#lib/core/clock.ts";
import type { DirectRequest, DirectResponse } from "#lib/http/direct-request.ts";
import { issueDwellToken, getMinDwellMs } from "#lib/reading/dwell-token.ts";

/** How far this instance's clock may be ahead of the primary's, which checks the token. */
const MAX_CLOCK_SKEW_MS = SECOND_MS;

/**
 * Returns `{token, minMs}`: the read counts after `minMs`. Throws AppError(not_found) for drafts and
 * unknown posts.
 */
export async function issueToken({ url }: DirectRequest): Promise<DirectResponse> {
  const { slug, readingMinutes } = await getCountablePost(
    new URL(url, "http://site.invalid").searchParams.get("slug") ?? "",
  );
  return {
    status: 200,
    headers: { "cache-control": "no-store", "content-type": "application/json" },
    body: JSON.stringify({
      token: issueDwellToken({ slug, nowMs: nowMs() }),
      minMs: getMinDwellMs(readingMinutes) + MAX_CLOCK_SKEW_MS,
    }),
  };
}
