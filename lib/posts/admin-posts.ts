// Lists the posts for admins, with their state.

import { AppError } from "#lib/core/errors.ts";
import type { CatalogStatus } from "./catalog/catalog-status.ts";
import type { Post, PostIndex } from "./post.ts";
import { isScheduled, modificationMs, publicationMs } from "./post-dates.ts";

export const POST_STATES = ["published", "draft", "scheduled", "failing"] as const;
export type PostState = (typeof POST_STATES)[number];

export interface AdminPost {
  readonly slug: string;
  readonly title: string;
  /** In the content folder. */
  readonly path: string;
  /** Without a post, its text has never compiled. */
  readonly post: Post | null;
  readonly state: PostState;
  readonly isUnlisted: boolean;
  /** True if readers can't see it. */
  readonly isHidden: boolean;
  /** Why the newest text does not compile. Readers see the last good version, if there is one. */
  readonly problem: string | null;
  readonly publishedMs: number | null;
  /** Null if it is unknown, as before the publication. */
  readonly changedMs: number | null;
}

interface Content {
  readonly allPosts: PostIndex;
  readonly hidden: ReadonlySet<Post>;
  readonly failures: CatalogStatus["failures"];
  readonly nowMs: number;
}

/** Returns all posts: first those that never compiled, then the newest first. */
export function listAdminPosts({ allPosts, hidden, failures, nowMs }: Content): AdminPost[] {
  const failuresOfPosts = failures.filter(({ kind }) => kind === "post");
  const problems = new Map(
    failuresOfPosts.map(({ slug, file, line, reason }) => [slug, `${file}:${line}: ${reason}`]),
  );
  const missing = failuresOfPosts
    .filter(({ slug }) => !allPosts.bySlug.has(slug))
    .map(({ slug, file }): AdminPost => ({
      slug,
      title: slug,
      path: file,
      post: null,
      state: "failing",
      isUnlisted: false,
      isHidden: true,
      problem: problems.get(slug)!,
      publishedMs: null,
      changedMs: null,
    }));
  const posts = allPosts.posts.map((post): AdminPost => {
    const problem = problems.get(post.slug) ?? null;
    return {
      slug: post.slug,
      title: post.frontMatter.title,
      path: post.path,
      post,
      state: problem === null ? stateOf(post, nowMs) : "failing",
      isUnlisted: post.frontMatter.unlisted,
      isHidden: hidden.has(post),
      problem,
      publishedMs: publicationMs(post),
      changedMs: isScheduled(post, nowMs) ? (post.changedMs ?? null) : modificationMs(post),
    };
  });
  return [...missing, ...posts];
}

function stateOf(post: Post, nowMs: number): PostState {
  if (post.frontMatter.draft) return "draft";
  return isScheduled(post, nowMs) ? "scheduled" : "published";
}

/** Returns the posts in that state whose title, slug or path contains `text`; "" for all. */
export function filterAdminPosts(
  posts: readonly AdminPost[],
  { state, text }: { state: PostState | null; text: string },
): AdminPost[] {
  const wanted = text.trim().toLowerCase();
  return posts.filter(
    (post) =>
      (state === null || post.state === state) &&
      [post.title, post.slug, post.path].some((each) => each.toLowerCase().includes(wanted)),
  );
}

/** Throws AppError(not_found). */
export function getAdminPost(posts: readonly AdminPost[], slug: string): AdminPost {
  const post = posts.find((each) => each.slug === slug);
  if (!post) throw new AppError("not_found", `No post “${slug}”.`);
  return post;
}

/** Returns whether a preview link makes sense: readers don't find the post, or can't see it. */
export const canPreview = ({ post, isHidden }: AdminPost): boolean =>
  post !== null && (isHidden || post.frontMatter.draft);
