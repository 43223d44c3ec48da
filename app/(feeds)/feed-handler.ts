// Serves a feed, rendered once per content version.

import { getIndex } from "#lib/posts/catalog/site-catalog.ts";
import {
  type CacheableBody,
  createCacheableBody,
  conditionalResponse,
} from "#lib/http/conditional-response.ts";
import type { PostIndex } from "#lib/posts/post.ts";

/** Maximum staleness for feed readers. */
const MAX_AGE_SECONDS = 300;

type Params = Readonly<Record<string, string>>;

/**
 * Returns a GET handler that serves `render` of the index and the route's parameters, or 404 if that
 * is null. `keyOf` returns one cache key for all spellings of the same parameters: spellings are
 * unlimited, and each cached feed costs memory.
 */
export function createFeedHandler(
  contentType: string,
  render: (index: PostIndex, params: Params) => string | null,
  keyOf: (index: PostIndex, params: Params) => string = () => "",
): (request: Request, context?: { params: Promise<Params | undefined> }) => Promise<Response> {
  const bodies = new WeakMap<PostIndex, Map<string, CacheableBody>>();
  return async (request, context) => {
    const index = await getIndex();
    const params = (await context?.params) ?? {};
    const key = keyOf(index, params);
    let body = bodies.get(index)?.get(key);
    if (!body) {
      const text = render(index, params);
      // Not cached: unknown parameters are unlimited, too.
      if (text === null) return new Response("Not found.\n", { status: 404 });
      body = createCacheableBody(text);
      bodies.set(index, (bodies.get(index) ?? new Map<string, CacheableBody>()).set(key, body));
    }
    return conditionalResponse(request, body, contentType, MAX_AGE_SECONDS);
  };
}
