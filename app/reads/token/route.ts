// GET /reads/token?slug=: the dwell token of a page that was just opened. Fetched, since the page itself may come from a cache.

import { getCountedPost } from "../counted-post.ts";
import { answer } from "#lib/action/answer.ts";
import { nowMs } from "#lib/base/clock.ts";
import { issueToken, minDwellMs } from "#lib/reads/token.ts";

/** `{token, minMs}`: the read counts once `minMs` have passed. 404 for a draft and for what does not exist. */
export function GET(request: Request): Promise<Response> {
  return answer(request, async () => {
    const { slug, readingMinutes } = await getCountedPost(
      new URL(request.url).searchParams.get("slug") ?? "",
    );
    return Response.json(
      { token: issueToken({ slug, nowMs: nowMs() }), minMs: minDwellMs(readingMinutes) },
      { headers: { "cache-control": "no-store" } },
    );
  });
}
