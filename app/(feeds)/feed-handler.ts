// One answer for everybody who asks, made once per content version.

import { getIndex } from "#lib/posts/catalog/site-catalog.ts";
import {
  type CacheableBody,
  createCacheableBody,
  conditionalResponse,
} from "#lib/http/conditional-response.ts";
import type { PostIndex } from "#lib/posts/post.ts";

/** Feed readers and crawlers may be this much behind a new post. */
const MAX_AGE_SECONDS = 300;

/** A GET handler for what `write` makes of the index. */
export function createFeedHandler(
  contentType: string,
  write: (index: PostIndex) => string,
): (request: Request) => Promise<Response> {
  const made = new WeakMap<PostIndex, CacheableBody>();
  return async (request) => {
    const index = await getIndex();
    let body = made.get(index);
    if (!body) {
      body = createCacheableBody(write(index));
      made.set(index, body);
    }
    return conditionalResponse(request, body, contentType, MAX_AGE_SECONDS);
  };
}
