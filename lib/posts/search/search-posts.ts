// Searches, filters, sorts and paginates the listed posts.

import { setImmediate } from "node:timers/promises";
import { withCacheDatabase } from "#lib/cache/cache-file.ts";
import { log } from "#lib/core/log.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { listPosts, type Post, type PostIndex } from "#lib/posts/post.ts";
import {
  type TextSegment,
  normalizeQuery,
  normalizeText,
  buildFtsQueries,
} from "./search-query.ts";
import {
  dropSearchTables,
  highlightPost,
  syncInSteps,
  syncSearchTable,
  querySearchTable,
} from "./search-table.ts";

export const PAGE_SIZE = 12;
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
   * 1-based. Page n has the first n × pageSize posts, since "Load more" keeps the previous ones.
   */
  readonly page?: number;
  readonly pageSize?: number;
  /** Reads by slug. */
  readonly totals?: ReadonlyMap<string, number>;
}

export interface SearchResult {
  readonly post: Post;
  readonly reads: number;
  /** The title with matches marked. */
  readonly title: readonly TextSegment[];
  /** The description, or an excerpt if only the body matches, with matches marked. */
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
}

/**
 * Returns the listed posts that match `request`, with the full-text table in the local cache
 * database. If that fails, search falls back to title and front matter. Never throws, whatever a
 * reader types.
 */
export function searchPosts(index: PostIndex, request: SearchRequest = {}): SearchPage {
  const q = normalizeQuery(request.q ?? "");
  const sort =
    request.sort && (q !== "" || request.sort !== "relevance")
      ? request.sort
      : q === ""
        ? "newest"
        : "relevance";
  const readFilter = request.readSlugs ? (request.readFilter ?? "all") : "all";
  const pageSize = Math.max(1, Math.floor(request.pageSize ?? PAGE_SIZE));
  const topicsByKey = listTopics(index);
  const topics = [...new Set((request.topics ?? []).map(topicKey))].flatMap(
    (key) => topicsByKey.get(key) ?? [],
  );
  const selectedKeys = topics.map(topicKey);

  const matches = q === "" ? null : findMatches(index, q);
  const fits = (post: Post) => {
    if (matches && !matches.rankBySlug.has(post.slug)) return false;
    const isRead = request.readSlugs?.has(post.slug);
    if (readFilter !== "all" && isRead !== (readFilter === "read")) return false;
    const keys = topicKeysOf(post);
    return selectedKeys.every((key) => keys.has(key));
  };
  const posts = listPosts(index).filter(fits); // newest first
  const reads = (post: Post) => request.totals?.get(post.slug) ?? 0;
  if (sort === "most-read") posts.sort((a, b) => reads(b) - reads(a));
  if (sort === "relevance" && matches)
    posts.sort((a, b) => rankOf(matches, a) - rankOf(matches, b));

  const pages = Math.max(1, Math.ceil(posts.length / pageSize));
  const page = Math.min(pages, Math.max(1, Math.floor(request.page || 1)));
  const counts = new Map<string, number>();
  for (const post of posts)
    for (const topic of topicKeysOf(post)) counts.set(topic, (counts.get(topic) ?? 0) + 1);
  return {
    results: posts
      .slice(0, page * pageSize)
      .map((post) => ({ post, reads: reads(post), ...highlightResult(matches, post) })),
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
  };
}

const indexing = new WeakMap<PostIndex, Promise<void>>();

/**
 * Resolves when the posts are in the full-text table. Indexes in steps of a few milliseconds, so that
 * other requests don't wait. Never rejects: searchPosts() tries again.
 */
export function indexPosts(index: PostIndex): Promise<void> {
  let running = indexing.get(index);
  if (!running) {
    running = indexInSteps(index).finally(() => indexing.delete(index));
    indexing.set(index, running);
  }
  return running;
}

async function indexInSteps(index: PostIndex): Promise<void> {
  try {
    const steps = withCacheDatabase((db) => syncInSteps(db, index));
    while (!steps.next().done) await setImmediate();
  } catch (error) {
    log("warn", "posts.search_failed", { error });
  }
}

interface SearchMatches {
  /** Slug → rank; 0 is the best. */
  readonly rankBySlug: ReadonlyMap<string, number>;
  /** Slug → the FTS5 query that matched. Without one, nothing is marked. */
  readonly queryBySlug: ReadonlyMap<string, string>;
}

function rankOf({ rankBySlug }: SearchMatches, post: Post): number {
  return rankBySlug.get(post.slug) ?? Infinity;
}

function findMatches(index: PostIndex, q: string): SearchMatches {
  const tiers = buildFtsQueries(q);
  // A broken table is dropped and rebuilt in the second attempt.
  for (let attempt = 0; tiers.length > 0 && attempt < 2; attempt++) {
    try {
      const hits = withCacheDatabase((db) => {
        syncSearchTable(db, index);
        return querySearchTable(db, tiers);
      });
      return {
        rankBySlug: new Map(hits.map(({ slug }, rank) => [slug, rank])),
        queryBySlug: new Map(hits.map(({ slug, tier }) => [slug, tiers[tier] ?? ""])),
      };
    } catch (error) {
      log("warn", "posts.search_failed", { error, attempt });
      tryOrLog(() => withCacheDatabase(dropSearchTables));
    }
  }
  // For queries without a letter ("++", an emoji) or without a table: a substring search in title
  // and front matter.
  const needle = normalizeText(q).toLowerCase();
  const contains = ({ frontMatter: { title, description, keywords, categories } }: Post) =>
    normalizeText([title, description, ...keywords, ...categories].join(" "))
      .toLowerCase()
      .includes(needle);
  const posts = needle === "" ? [] : listPosts(index).filter(contains);
  return {
    rankBySlug: new Map(posts.map(({ slug }, rank) => [slug, rank])),
    queryBySlug: new Map(),
  };
}

function highlightResult(
  matches: SearchMatches | null,
  post: Post,
): { title: readonly TextSegment[]; snippet: readonly TextSegment[] } {
  const query = matches?.queryBySlug.get(post.slug);
  const highlighted =
    query && tryOrLog(() => withCacheDatabase((db) => highlightPost(db, query, post.slug)));
  if (highlighted) return highlighted;
  const { title, description } = post.frontMatter;
  return {
    title: [{ text: title, isMatch: false }],
    snippet: description ? [{ text: description, isMatch: false }] : [],
  };
}

function tryOrLog<T>(fn: () => T): T | null {
  try {
    return fn();
  } catch (error) {
    log("warn", "posts.search_failed", { error });
    return null;
  }
}

/** Returns a topic's key. Topics that differ only in case have the same key. */
function topicKey(topic: string): string {
  return normalizeText(topic).toLowerCase();
}

/** Returns the keys of a post's topics; see listTopics(). */
export function topicKeysOf({ frontMatter }: Post): Set<string> {
  return new Set(frontMatter.categories.map(topicKey));
}

/**
 * Returns every topic of the listed posts by key, spelled as in the newest post. The order is the
 * alphabet of the site's language.
 */
export function listTopics(index: PostIndex): ReadonlyMap<string, string> {
  const topics = new Map<string, string>();
  for (const post of listPosts(index)) {
    for (const topic of post.frontMatter.categories)
      if (!topics.has(topicKey(topic))) topics.set(topicKey(topic), topic);
  }
  const { compare } = new Intl.Collator(siteConfig.language);
  return new Map([...topics].sort(([, a], [, b]) => compare(a, b)));
}
