// POST /reads/place: stores the section at which a member is reading a post.

import { z } from "zod";
import { nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { assertSameOrigin } from "#lib/http/csrf.ts";
import { withErrorResponse } from "#lib/http/error-response.ts";
import { readJson } from "#lib/http/read-json.ts";
import { readSessionCookies, requireMember } from "#lib/members/viewer.ts";
import { writeAuthorized } from "#lib/members/write-authorized.ts";
import { findPostBySlug } from "#lib/posts/catalog/site-catalog.ts";
import { consumePlaceWrite, saveReadingPlace } from "#lib/reading/reading-place.ts";
import { ensurePrimary } from "#lib/replication/ensure-primary.ts";

const Place = z.object({
  slug: z.string().min(1).max(200),
  heading: z.string().min(1).max(500).nullable(),
});

/**
 * Returns 204. On an error, stores nothing and returns 400, 401, 403, 404, 409, 413, 429 or 503 with
 * the reason as text.
 */
export function POST(request: Request): Promise<Response> {
  return withErrorResponse(request, async () => {
    assertSameOrigin(request);
    const { slug, heading } = await readJson(request, Place, {
      maxBytes: 2_048,
      contentTypes: ["text/plain", "application/json"],
    });
    await ensurePrimary();
    const { id } = await requireMember();
    const post = await findPostBySlug(slug);
    if (!post) throw new AppError("not_found", "Post not found.", { field: "slug" });
    if (heading !== null && !post.compiled.headings.some((each) => each.id === heading))
      throw new AppError("invalid", "heading: The post has no such heading.", { field: "heading" });
    consumePlaceWrite(id, nowMs());
    await writeAuthorized(await readSessionCookies(), { role: "member" }, (tx, member) =>
      saveReadingPlace(tx, { userId: member.id, slug, heading, nowMs: nowMs() }),
    );
    return new Response(null, { status: 204, headers: { "cache-control": "no-store" } });
  });
}
