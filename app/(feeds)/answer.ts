// One answer for everybody who asks, made once per content version.

import { getIndex } from "../_site/site.ts";
import { type SharedBody, sharedBody, sharedResponse } from "#lib/base/conditional.ts";
import type { PostIndex } from "#lib/posts/post.ts";

/** Feed readers and crawlers may be this much behind a new post. */
const MAX_AGE_SECONDS = 300;

/** A GET handler for what `write` makes of the index. */
export function answerWith(
  contentType: string,
  write: (index: PostIndex) => string,
): (request: Request) => Promise<Response> {
  const made = new WeakMap<PostIndex, SharedBody>();
  return async (request) => {
    const index = await getIndex();
    let body = made.get(index);
    if (!body) {
      body = sharedBody(write(index));
      made.set(index, body);
    }
    return sharedResponse(request, body, contentType, MAX_AGE_SECONDS);
  };
}
