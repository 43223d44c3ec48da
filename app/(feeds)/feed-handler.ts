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

/** Returns a GET handler that serves `render` of the index. */
export function createFeedHandler(
  contentType: string,
  render: (index: PostIndex) => string,
): (request: Request) => Promise<Response> {
  const bodies = new WeakMap<PostIndex, CacheableBody>();
  return async (request) => {
    const index = await getIndex();
    let body = bodies.get(index);
    if (!body) {
      body = createCacheableBody(render(index));
      bodies.set(index, body);
    }
    return conditionalResponse(request, body, contentType, MAX_AGE_SECONDS);
  };
}
