// Builds the data of a post's card for a viewer.

import type { PostCardData } from "#components/post/post-card.tsx";
import type { PageData } from "#lib/posts/page-data.ts";
import { type Post, type PostIndex, toPostSummary } from "#lib/posts/post.ts";
import { currentReaderLanguages } from "#lib/http/reader-languages.ts";
import { publicationMs } from "#lib/posts/post-dates.ts";
import { inReadersLanguage } from "#lib/posts/translations.ts";

type ViewerData = Pick<PageData, "leadingTeams" | "readSlugs" | "viewer">;

/**
 * Returns whether a post was published since a member's previous visit, which ended at
 * `previousVisitMs`, and they have not read it.
 */
export function isNewPost(
  post: Post,
  { viewer, readSlugs }: ViewerData,
  previousVisitMs: number | null,
): boolean {
  return (
    viewer.member !== null &&
    previousVisitMs !== null &&
    publicationMs(post) > previousVisitMs &&
    !readSlugs.has(post.slug)
  );
}

/** Returns the card of a listed post, or of its translation in the reader's language. */
export function toCard(
  index: PostIndex,
  post: Post,
  data: ViewerData,
  previousVisitMs: number | null = null,
): PostCardData {
  return {
    post: toPostSummary(inReadersLanguage(index, post, currentReaderLanguages())),
    leadingTeams: data.leadingTeams.get(post.slug) ?? [],
    isRead: data.readSlugs.has(post.slug),
    isNew: isNewPost(post, data, previousVisitMs),
  };
}
