// Defines a post in memory, the index of all posts of a content version, and which of them are
// listed.

import type { Image } from "./image.ts";
import type { CompiledPost } from "./mdx/compiled-post.ts";
import { sortKeyMs } from "./post-dates.ts";
import type { FrontMatter } from "./source/front-matter.ts";

/** A post, or a page of content/pages. */
export interface Post {
  readonly slug: string;
  /** Path below the content root. */
  readonly path: string;
  /** SHA-256 in hex of the post and the files next to it. */
  readonly hash: string;
  /** The content version of this text. Older than the index's if the newer text is broken. */
  readonly version: string;
  readonly frontMatter: FrontMatter;
  readonly compiled: CompiledPost;
  readonly hero?: Image;
  /**
   * When its text last changed (Unix time in ms). Undefined if it hasn't changed since publication.
   */
  readonly changedMs?: number;
}

/** A post without its body: small enough to send to the browser. */
export type PostSummary = Omit<Post, "compiled"> & { readonly readingMinutes: number };

/**
 * The posts of a content version, newest first, ties by slug. Includes drafts and unlisted posts.
 */
export interface PostIndex {
  readonly version: string;
  readonly posts: readonly Post[];
  readonly bySlug: ReadonlyMap<string, Post>;
}

/**
 * Returns an index over `posts` in any order. Of two posts with the same slug, the later one wins.
 */
export function createPostIndex(version: string, posts: Iterable<Post>): PostIndex {
  const bySlug = new Map<string, Post>();
  for (const post of posts) bySlug.set(post.slug, post);
  const sorted = [...bySlug.values()].sort(
    (a, b) => sortKeyMs(b) - sortKeyMs(a) || compareBytes(a.slug, b.slug),
  );
  return { version, posts: sorted, bySlug };
}

/** Compares by code unit, because locale order differs between machines. */
function compareBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Returns whether lists, search, feeds and the sitemap show a post: neither a draft nor unlisted.
 */
export function isListed({ frontMatter }: Post): boolean {
  return !frontMatter.draft && !frontMatter.unlisted;
}

/** Returns whether the site may recommend a post: listed and not archived. */
export function isPromotable(post: Post): boolean {
  return isListed(post) && !post.frontMatter.archived;
}

/** Returns the post that this one translates, or itself if it translates none. */
export function originalOf({ bySlug }: PostIndex, post: Post): Post {
  const { translationOf } = post.frontMatter;
  const original = translationOf === undefined ? undefined : bySlug.get(translationOf);
  const isOriginal =
    original && original.frontMatter.translationOf === undefined && !original.frontMatter.draft;
  return isOriginal ? original : post;
}

/** Returns the slug under which reads of a post and its translations are counted. */
export function countedSlug(index: PostIndex, slug: string): string {
  const post = index.bySlug.get(slug);
  return post ? originalOf(index, post).slug : slug;
}

const listedPostsCache = new WeakMap<PostIndex, readonly Post[]>();

/** Returns the listed posts, newest first, without translations of listed posts. */
export function listPosts(index: PostIndex): readonly Post[] {
  let posts = listedPostsCache.get(index);
  if (!posts) {
    posts = listPostsInAllLanguages(index).filter((post) => {
      const original = originalOf(index, post);
      return original === post || !isListed(original);
    });
    listedPostsCache.set(index, posts);
  }
  return posts;
}

/** Returns the listed posts and their translations, newest first. */
export function listPostsInAllLanguages(index: PostIndex): readonly Post[] {
  return index.posts.filter(isListed);
}

/** Returns the post at `slug`, listed or not, or null. */
export function findPost(index: PostIndex, slug: string): Post | null {
  return index.bySlug.get(slug) ?? null;
}

/** Returns the post without its body. */
export function toPostSummary({ compiled, ...rest }: Post): PostSummary {
  return { ...rest, readingMinutes: compiled.readingMinutes };
}
