// Finds the series of a post: its parts in order, and the post's place among them.

import { findPost, listPosts, originalOf, type Post, type PostIndex } from "./post.ts";
import { sortKeyMs } from "./post-dates.ts";

export interface Series {
  readonly name: string;
  /** The parts that readers see, in order, including the post itself. At least two. */
  readonly parts: readonly { readonly post: Post; readonly number: number }[];
  /**
   * The post's number: the author's number, or its position if numbers are missing or duplicate.
   */
  readonly number: number;
  /** The highest number. */
  readonly total: number;
  readonly previous: Post | null;
  readonly next: Post | null;
}

type Part = Post & { readonly frontMatter: { readonly series: { readonly part?: number } } };

const seriesCache = new WeakMap<PostIndex, ReadonlyMap<string, readonly Part[]>>();

/** Returns the listed posts by series, oldest first. */
function listSeries(index: PostIndex): ReadonlyMap<string, readonly Part[]> {
  let series = seriesCache.get(index);
  if (!series) {
    const oldestFirst = listPosts(index).filter(isPart).toReversed();
    series = Map.groupBy(oldestFirst, ({ frontMatter }) => keyOf(frontMatter.series.name));
    seriesCache.set(index, series);
  }
  return series;
}

const isPart = (post: Post): post is Part => post.frontMatter.series !== undefined;
const keyOf = (name: string) => name.normalize("NFC").toLowerCase();
const partOf = ({ frontMatter }: Part) => frontMatter.series.part ?? Number.POSITIVE_INFINITY;

/**
 * Returns the series of a post, or null if it has none or no other part is listed. A draft's own
 * page includes the draft in the series. A translation's page shows the translation instead of its
 * original.
 */
export function findSeries(index: PostIndex, slug: string): Series | null {
  const post = findPost(index, slug);
  if (!post || !isPart(post)) return null;
  const { name } = post.frontMatter.series;
  const listed = listSeries(index).get(keyOf(name)) ?? [];
  const original = originalOf(index, post);
  const posts = [...listed.filter((each) => originalOf(index, each) !== original), post].sort(
    (a, b) => comparePart(a, b) || sortKeyMs(a) - sortKeyMs(b) || (a.slug < b.slug ? -1 : 1),
  );
  if (posts.length < 2) return null;
  const written = new Set(posts.map(partOf));
  const isNumbered = written.size === posts.length && !written.has(Number.POSITIVE_INFINITY);
  const parts = posts.map((each, position) => ({
    post: each,
    number: isNumbered ? partOf(each) : position + 1,
  }));
  const position = posts.indexOf(post);
  return {
    name,
    parts,
    number: parts[position]!.number,
    total: parts.at(-1)!.number,
    previous: posts[position - 1] ?? null,
    next: posts[position + 1] ?? null,
  };
}

/** Posts without a part come last. */
function comparePart(a: Part, b: Part): number {
  const [first, second] = [partOf(a), partOf(b)];
  return first === second ? 0 : first - second;
}
