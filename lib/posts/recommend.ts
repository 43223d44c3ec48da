// What to read next: by kinship, by fame, by chance. By chance, but the same for a reader all day.

import { epochDay } from "#lib/core/clock.ts";
import { isPromotable, type Post, type PostIndex } from "./post.ts";

/** "One of the most read": one of this many. Source: reference.md. */
const MOST_READ_COUNT = 4;

export interface Reader {
  /** What tells readers apart (member or client id); "" for all anonymous readers together. */
  readonly key: string;
  readonly readSlugs: ReadonlySet<string>;
}

interface RecommendOptions {
  readonly reader: Reader;
  /** Reads by slug. Pass those of yesterday's end where a choice must not move while readers read. */
  readonly totals: ReadonlyMap<string, number>;
  /** The choice is the same within a UTC day. */
  readonly nowMs: number;
}

/**
 * `count` posts to read after the one at `slug` (null: after none, as on a 404 page): first the one that shares most
 * with it, rare keywords and categories weighing more; then one of the most read; the rest by chance. Never the post
 * itself, drafts, unlisted or archived posts, nor what the reader has read, unless there is nothing else.
 * Fewer only where the site has fewer.
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
  const luck = createDailyScore(`${reader.key}\n${epochDay(nowMs)}\n${slug ?? ""}`);
  const candidates = listPromotablePosts(index).filter((post) => post.slug !== slug);
  const kin = slug === null ? undefined : index.bySlug.get(slug);
  const chosen: Post[] = [];
  const add = (post: Post | undefined) => {
    if (post) chosen.push(post);
    return post !== undefined;
  };
  for (const wasRead of [false, true]) {
    const left = () =>
      candidates.filter(
        (post) => reader.readSlugs.has(post.slug) === wasRead && !chosen.includes(post),
      );
    if (kin && chosen.length === 0 && count > 0) add(mostSimilarPost(index, kin, left()));
    if (chosen.length < Math.min(2, count))
      add(
        highestScored(
          mostReadPosts(left(), totals).filter((post) => totals.has(post.slug)),
          luck,
        ),
      );
    while (chosen.length < count && add(highestScored(left(), luck)));
  }
  return chosen;
}

/** One of the four most-read posts that the reader has not read; null when there is none. */
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

/** The four most read of `posts`; ties by the order they come in, newest first. */
function mostReadPosts(posts: readonly Post[], totals: ReadonlyMap<string, number>): Post[] {
  const top: { post: Post; reads: number }[] = [];
  for (const post of posts) {
    const reads = totals.get(post.slug) ?? 0;
    if (top.length === MOST_READ_COUNT && reads <= (top.at(-1)?.reads ?? 0)) continue;
    const place = top.findIndex((other) => other.reads < reads);
    top.splice(place < 0 ? top.length : place, 0, { post, reads });
    if (top.length > MOST_READ_COUNT) top.pop();
  }
  return top.map(({ post }) => post);
}

const promotablePostsCache = new WeakMap<PostIndex, readonly Post[]>();

function listPromotablePosts(index: PostIndex): readonly Post[] {
  let posts = promotablePostsCache.get(index);
  if (!posts) {
    posts = index.posts.filter(isPromotable);
    promotablePostsCache.set(index, posts);
  }
  return posts as readonly Post[];
}

/** The post that shares most with `kin`; ties to the newest; undefined if none shares anything. */
function mostSimilarPost(index: PostIndex, kin: Post, posts: readonly Post[]): Post | undefined {
  const { terms, holders } = indexTerms(index);
  const own = terms.get(kin.slug) ?? new Set();
  let best: Post | undefined;
  let bestScore = 0;
  for (const post of posts) {
    let score = 0;
    // A term that every post has says nothing, one that only these two have says most.
    for (const term of terms.get(post.slug) ?? [])
      if (own.has(term)) score += Math.log(1 + index.posts.length / (holders.get(term) ?? 1));
    if (score > bestScore) [best, bestScore] = [post, score];
  }
  return best;
}

interface TermIndex {
  readonly terms: ReadonlyMap<string, ReadonlySet<string>>;
  /** How many posts have a term. */
  readonly holders: ReadonlyMap<string, number>;
}

const termIndexCache = new WeakMap<PostIndex, TermIndex>();

function indexTerms(index: PostIndex): TermIndex {
  const before = termIndexCache.get(index);
  if (before) return before;
  const terms = new Map<string, Set<string>>();
  const holders = new Map<string, number>();
  for (const { slug, frontMatter } of index.posts) {
    const own = new Set(
      [...frontMatter.keywords, ...frontMatter.categories]
        .map((term) => term.normalize("NFC").trim().toLowerCase())
        .filter(Boolean),
    );
    terms.set(slug, own);
    for (const term of own) holders.set(term, (holders.get(term) ?? 0) + 1);
  }
  const made = { terms, holders };
  termIndexCache.set(index, made);
  return made;
}

type DailyScore = (slug: string) => number;

/**
 * Each post's luck of the day. It hangs on the post alone and not on which others stand for choice,
 * so that a post that drops out (it was read) moves no other.
 */
function createDailyScore(seed: string): DailyScore {
  const start = fnv1a(0x811c9dc5, seed);
  return (slug) => finalizeMurmur3(fnv1a(start, slug));
}

function highestScored(posts: readonly Post[], luck: DailyScore): Post | undefined {
  let best: Post | undefined;
  let most = -1;
  for (const post of posts) {
    const its = luck(post.slug);
    if (its > most) [best, most] = [post, its];
  }
  return best;
}

function fnv1a(start: number, text: string): number {
  let hash = start;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}

/** murmur3's last step: FNV alone leaves short texts close together. */
function finalizeMurmur3(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
