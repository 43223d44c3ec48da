// Searches, filters, sorts and paginates the listed posts.

import { countedSlug, findPost, listPosts, type Post, type PostIndex } from "#lib/posts/post.ts";
import { listTopics, topicKey, topicKeysOf } from "#lib/posts/topics.ts";
import { postSource } from "./search-document.ts";
import { type SearchMatch, findMatches, highlightMatch } from "./search-index.ts";
import { type TextSegment, normalizeQuery } from "./search-query.ts";

export const PAGE_SIZE = 12;
/** Matches are marked only in the first results, because each takes milliseconds. */
const MAX_MARKED = 60;
export const SORT_ORDERS = ["newest", "most-read", "relevance"] as const;
export type SortOrder = (typeof SORT_ORDERS)[number];
export const READ_FILTERS = ["all", "read", "unread"] as const;
export type ReadFilter = (typeof READ_FILTERS)[number];

export interface SearchRequest {
  /** Anything a reader may type. */
  readonly q?: string;
  /** A post must have all of these topics. Unknown topics are ignored. */
  readonly topics?: readonly string[];
  /** Defaults to relevance with a query, else newest. */
  readonly sort?: SortOrder;
  /** Ignored without `readSlugs`. */
  readonly readFilter?: ReadFilter;
  readonly readSlugs?: ReadonlySet<string>;
  /**
   * 1-based. Page n has the first n × PAGE_SIZE posts, since "Load more" keeps the previous ones.
   */
  readonly page?: number;
  /** Reads by slug. */
  readonly totals?: ReadonlyMap<string, number>;
}

export interface SearchResult {
  readonly post: Post;
  /** The post if it matches the query, or the translation that matches best. */
  readonly matchedPost: Post;
  readonly reads: number;
  /** The title with matches marked, in the first 60 results. */
  readonly title: readonly TextSegment[];
  /** The description, or an excerpt if only the body matches, with matches marked likewise. */
  readonly snippet: readonly TextSegment[];
}

export interface TopicCount {
  readonly topic: string;
  /** The number of results if this topic is also selected; 0 disables it. */
  readonly count: number;
  readonly isSelected: boolean;
}

export interface SearchPage {
  readonly results: readonly SearchResult[];
  /** The number of results on all pages. */
  readonly total: number;
  /** Every topic of the site, alphabetically. */
  readonly topicCounts: readonly TopicCount[];
  readonly q: string;
  readonly topics: readonly string[];
  readonly sort: SortOrder;
  readonly readFilter: ReadFilter;
  readonly page: number;
  /** The page of the "Load more" link, or null. */
  readonly nextPage: number | null;
  /** No post has all words as typed; these are similar. */
  readonly isApproximate: boolean;
}

/** Returns the listed posts that match `request`. Never throws, whatever a reader types. */
export async function searchPosts(
  index: PostIndex,
  request: SearchRequest = {},
): Promise<SearchPage> {
  const q = normalizeQuery(request.q ?? "");
  const sort =
    request.sort && (q !== "" || request.sort !== "relevance")
      ? request.sort
      : q === ""
        ? "newest"
        : "relevance";
  const readFilter = request.readSlugs ? (request.readFilter ?? "all") : "all";
  const topicsByKey = listTopics(index);
  const topics = [...new Set((request.topics ?? []).map(topicKey))].flatMap(
    (key) => topicsByKey.get(key) ?? [],
  );
  const selectedKeys = topics.map(topicKey);

  const found = q === "" ? null : await findMatches([postSource(index)], q);
  const matches = found && rankMatches(index, found.matches);
  const fits = (post: Post) => {
    if (matches && !matches.has(post.slug)) return false;
    const isRead = request.readSlugs?.has(post.slug);
    if (readFilter !== "all" && isRead !== (readFilter === "read")) return false;
    const keys = topicKeysOf(post);
    return selectedKeys.every((key) => keys.has(key));
  };
  const posts = listPosts(index).filter(fits); // newest first
  const reads = (post: Post) => request.totals?.get(post.slug) ?? 0;
  if (sort === "most-read") posts.sort((a, b) => reads(b) - reads(a));
  if (sort === "relevance" && matches)
    posts.sort((a, b) => matches.get(a.slug)!.rank - matches.get(b.slug)!.rank);

  const pages = Math.max(1, Math.ceil(posts.length / PAGE_SIZE));
  const page = Math.min(pages, Math.max(1, Math.floor(request.page || 1)));
  const counts = new Map<string, number>();
  for (const post of posts)
    for (const topic of topicKeysOf(post)) counts.set(topic, (counts.get(topic) ?? 0) + 1);
  return {
    results: posts.slice(0, page * PAGE_SIZE).map((post, i) => {
      const match = i < MAX_MARKED ? matches?.get(post.slug)?.match : undefined;
      return {
        post,
        matchedPost: findPost(index, match?.document.slug ?? post.slug) ?? post,
        reads: reads(post),
        ...highlightMatch(match ?? { document: documentOf(index, post), hit: null }),
      };
    }),
    total: posts.length,
    topicCounts: [...topicsByKey].map(([key, topic]) => ({
      topic,
      count: counts.get(key) ?? 0,
      isSelected: selectedKeys.includes(key),
    })),
    q,
    topics,
    sort,
    readFilter,
    page,
    nextPage: page < pages ? page + 1 : null,
    isApproximate: found?.isApproximate ?? false,
  };
}

/**
 * Returns one match of each post or its translations, by slug: the original if it matches, else the
 * best one. `rank` is that of the best one; 0 is the best.
 */
function rankMatches(index: PostIndex, matches: readonly SearchMatch[]) {
  const ranked = new Map<string, { match: SearchMatch; rank: number }>();
  for (const [rank, match] of matches.entries()) {
    const slug = countedSlug(index, match.document.slug);
    const best = ranked.get(slug);
    if (!best) ranked.set(slug, { match, rank });
    else if (match.document.slug === slug) best.match = match;
  }
  return ranked;
}

const documentOf = (index: PostIndex, { slug }: Post) =>
  postSource(index).documents.get(`post/${slug}`)!;
