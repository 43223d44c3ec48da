// Recommends posts: a similar one, a popular one, then random ones. They stay the same for a reader
// all day.

import { epochDay } from "#lib/core/clock.ts";
import { hashText } from "#lib/core/hash-text.ts";
import { countedSlug, isPromotable, listPosts, type Post, type PostIndex } from "./post.ts";

/** The popular post is one of this many most-read posts. */
const MOST_READ_COUNT = 4;

export interface Reader {
  /** Identifies a reader (member or client id); "" for all anonymous readers. */
  readonly key: string;
  readonly readSlugs: ReadonlySet<string>;
}

interface RecommendOptions {
  readonly reader: Reader;
  /** Reads by slug. Pass the totals at the start of the day for stable recommendations. */
  readonly totals: ReadonlyMap<string, number>;
  /** The current time (Unix time in ms). Recommendations stay the same within a UTC day. */
  readonly nowMs: number;
}

/**
 * Returns `count` promotable posts to read after the one at `slug` (null: after none): the most
 * similar one, one of the most read, and random ones. Posts that the reader has read come last.
 * Returns fewer only if the site has fewer.
 */
export function recommendPosts(
  index: PostIndex,
  {
    slug,
    count = 3,
    reader,
    totals,
    nowMs,
  }: RecommendOptions & { slug: string | null; count?: number },
): Post[] {
  const score = createDailyScore(`${reader.key}\n${epochDay(nowMs)}\n${slug ?? ""}`);
  const original = slug === null ? null : countedSlug(index, slug);
  const candidates = listPromotablePosts(index).filter((post) => post.slug !== original);
  const currentPost = slug === null ? undefined : index.bySlug.get(slug);
  const chosen: Post[] = [];
  const add = (post: Post | undefined) => {
    if (post) chosen.push(post);
    return post !== undefined;
  };
  for (const isRead of [false, true]) {
    const remaining = () =>
      candidates.filter(
        (post) => reader.readSlugs.has(post.slug) === isRead && !chosen.includes(post),
      );
    if (currentPost && chosen.length === 0 && count > 0)
      add(mostSimilarPost(index, currentPost, remaining()));
    if (chosen.length < Math.min(2, count))
      add(highestScored(mostReadPosts(remaining(), totals), score));
    while (chosen.length < count && add(highestScored(remaining(), score)));
  }
  return chosen;
}

/** Returns one of the most read posts that the reader has not read; null if none was ever read. */
export function pickFeaturedPost(
  index: PostIndex,
  { reader, totals, nowMs }: RecommendOptions,
): Post | null {
  const unread = listPromotablePosts(index).filter((post) => !reader.readSlugs.has(post.slug));
  return (
    highestScored(
      mostReadPosts(unread, totals),
      createDailyScore(`${reader.key}\n${epochDay(nowMs)}\nfeatured`),
    ) ?? null
  );
}

/** Returns at most MOST_READ_COUNT of `posts`, the most read ones. Ties keep the order of `posts`. */
function mostReadPosts(posts: readonly Post[], totals: ReadonlyMap<string, number>): Post[] {
  const top: { post: Post; reads: number }[] = [];
  for (const post of posts) {
    const reads = totals.get(post.slug);
    if (reads === undefined) continue;
    if (top.length === MOST_READ_COUNT && reads <= (top.at(-1)?.reads ?? 0)) continue;
    const rank = top.findIndex((other) => other.reads < reads);
    top.splice(rank < 0 ? top.length : rank, 0, { post, reads });
    if (top.length > MOST_READ_COUNT) top.pop();
  }
  return top.map(({ post }) => post);
}

const promotablePostsCache = new WeakMap<PostIndex, readonly Post[]>();

function listPromotablePosts(index: PostIndex): readonly Post[] {
  let posts = promotablePostsCache.get(index);
  if (!posts) {
    posts = listPosts(index).filter(isPromotable);
    promotablePostsCache.set(index, posts);
  }
  return posts as readonly Post[];
}

/**
 * Returns the post that shares the most terms with `currentPost`, weighted by rarity (IDF), or
 * undefined.
 */
function mostSimilarPost(
  index: PostIndex,
  currentPost: Post,
  posts: readonly Post[],
): Post | undefined {
  const { termsBySlug, documentFrequency } = indexTerms(index);
  const currentTerms = termsBySlug.get(currentPost.slug) ?? new Set();
  let best: Post | undefined;
  let bestScore = 0;
  for (const post of posts) {
    let score = 0;
    for (const term of termsBySlug.get(post.slug) ?? [])
      if (currentTerms.has(term))
        score += Math.log(1 + index.posts.length / (documentFrequency.get(term) ?? 1));
    if (score > bestScore) [best, bestScore] = [post, score];
  }
  return best;
}

interface TermIndex {
  /** Keywords and categories. */
  readonly termsBySlug: ReadonlyMap<string, ReadonlySet<string>>;
  /** The number of posts with each term. */
  readonly documentFrequency: ReadonlyMap<string, number>;
}

const termIndexCache = new WeakMap<PostIndex, TermIndex>();

function indexTerms(index: PostIndex): TermIndex {
  const cached = termIndexCache.get(index);
  if (cached) return cached;
  const termsBySlug = new Map<string, Set<string>>();
  const documentFrequency = new Map<string, number>();
  for (const { slug, frontMatter } of index.posts) {
    const terms = new Set(
      [...frontMatter.keywords, ...frontMatter.categories]
        .map((term) => term.normalize("NFC").trim().toLowerCase())
        .filter(Boolean),
    );
    termsBySlug.set(slug, terms);
    for (const term of terms) documentFrequency.set(term, (documentFrequency.get(term) ?? 0) + 1);
  }
  const termIndex = { termsBySlug, documentFrequency };
  termIndexCache.set(index, termIndex);
  return termIndex;
}

type DailyScore = (slug: string) => number;

/**
 * Returns a function for a pseudorandom score per post. It doesn't depend on other posts, so
 * reading one doesn't reorder the rest.
 */
function createDailyScore(seed: string): DailyScore {
  return (slug) => hashText(seed + slug);
}

function highestScored(posts: readonly Post[], scoreOf: DailyScore): Post | undefined {
  let best: Post | undefined;
  let bestScore = -1;
  for (const post of posts) {
    const score = scoreOf(post.slug);
    if (score > bestScore) [best, bestScore] = [post, score];
  }
  return best;
}
