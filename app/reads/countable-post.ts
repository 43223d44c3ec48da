// Finds posts whose reads count.

import { getIndex } from "#lib/posts/catalog/site-catalog.ts";
import { AppError } from "#lib/core/errors.ts";
import { findPost } from "#lib/posts/post.ts";

/** Returns a published post. Throws AppError(not_found) for drafts and unknown slugs. */
export async function getCountablePost(
  slug: string,
): Promise<{ slug: string; readingMinutes: number }> {
  const post = findPost(await getIndex(), slug);
  if (!post || post.frontMatter.draft)
    throw new AppError("not_found", "There is no such post.", { field: "slug" });
  return { slug: post.slug, readingMinutes: post.compiled.readingMinutes };
}
