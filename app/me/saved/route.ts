// POST /me/saved: saves a post for later, or removes it. The form of a post's page, with or without
// JavaScript.

import { z } from "zod";
import { nowMs } from "#lib/core/clock.ts";
import { AppError, isAppError } from "#lib/core/errors.ts";
import { assertSameOrigin } from "#lib/http/csrf.ts";
import { withErrorResponse } from "#lib/http/error-response.ts";
import { readBody } from "#lib/http/read-body.ts";
import { readSessionCookies } from "#lib/members/viewer.ts";
import { writeAuthorized } from "#lib/members/write-authorized.ts";
import { postUrlPath } from "#lib/posts/addresses/post-address.ts";
import { getIndex } from "#lib/posts/catalog/site-catalog.ts";
import { findPost } from "#lib/posts/post.ts";
import { setPostSaved } from "#lib/reading/saved-posts.ts";
import { ensurePrimary } from "#lib/replication/ensure-primary.ts";

const MAX_BODY_BYTES = 2_048;

const Fields = z.object({
  slug: z.string().min(1).max(200),
  isSaved: z.enum(["yes", "no"]),
});

/**
 * Returns 204 if the request accepts JSON. Otherwise, redirects to the post, or to the login without a
 * session. On an error, stores nothing and returns 400, 401, 403, 404, 409, 413 or 503.
 */
export function POST(request: Request): Promise<Response> {
  return withErrorResponse(request, async () => {
    assertSameOrigin(request);
    const { slug, isSaved } = parseFields(await readBody(request, { maxBytes: MAX_BODY_BYTES }));
    const post = findPost(await getIndex(), slug);
    if (!post) throw new AppError("not_found", "This post doesn’t exist.", { field: "slug" });
    await ensurePrimary();
    const isForm = !request.headers.get("accept")?.includes("application/json");
    try {
      await writeAuthorized(await readSessionCookies(), { role: "member" }, (tx, { id }) =>
        setPostSaved(tx, { userId: id, slug, isSaved: isSaved === "yes", nowMs: nowMs() }),
      );
    } catch (error) {
      if (!isForm || !isAppError(error, "unauthorized")) throw error;
      return redirectTo(`/login?next=${encodeURIComponent(postUrlPath(post))}`);
    }
    return isForm ? redirectTo(postUrlPath(post)) : new Response(null, { status: 204, headers });
  });
}

const headers = { "cache-control": "no-store" };

const redirectTo = (location: string) =>
  new Response(null, { status: 303, headers: { ...headers, location } });

/** Throws AppError(invalid) with the name of the field. */
function parseFields(body: Uint8Array): z.output<typeof Fields> {
  const form = new URLSearchParams(Buffer.from(body).toString("utf8"));
  const parsed = Fields.safeParse(Object.fromEntries(form));
  if (parsed.success) return parsed.data;
  const field = parsed.error.issues[0]?.path.join(".") || undefined;
  throw new AppError("invalid", `${field ?? "The form"} is invalid. Reload the page.`, { field });
}
