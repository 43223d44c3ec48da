// Finds posts whose reads count.

import { getIndex } from "#lib/posts/catalog/site-catalog.ts";
import { AppError } from "#lib/core/errors.ts";
import { findPost, originalOf } from "#lib/posts/post.ts";

/**
 * Returns a published post; its reads count for `countedSlug`, which translations share. Throws
 * AppError(not_found) for drafts and unknown slugs.
 */
export async function getCountablePost(
  slug: string,
): Promise<{ slug: string; countedSlug: string; readingMinutes: number }> {
  const index = await getIndex();
  const post = findPost(index, slug);
  if (!post || post.frontMatter.draft)
    throw new AppError("not_found", "Post not found.", { field: "slug" });
  return {
    slug: post.slug,
    countedSlug: originalOf(index, post).slug,
    readingMinutes: post.compiled.readingMinutes,
  };
}
