// Finding posts: words, topics, read or unread; in an order; some at a time.

import type Database from "better-sqlite3";
import { log } from "#lib/core/log.ts";
import { listPosts, type Post, type PostIndex } from "#lib/posts/post.ts";
import {
  type TextSegment,
  normalizeQuery,
  normalizeText,
  buildFtsQueries,
  splitWords,
} from "./search-query.ts";
import {
  dropSearchTables,
  highlightPost,
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
  /** Topics that a post must all have. Unknown ones are left out. */
  readonly topics?: readonly string[];
  /** By default relevance for a query, else newest. */
  readonly sort?: SortOrder;
  /** Only with `readSlugs`. */
  readonly readFilter?: ReadFilter;
  readonly readSlugs?: ReadonlySet<string>;
  /** 1-based. Page n gives the first n × pageSize posts: "Load more" is a link that keeps what is above. */
  readonly page?: number;
  readonly pageSize?: number;
  /** Reads by slug. */
  readonly totals?: ReadonlyMap<string, number>;
}

export interface SearchResult<P extends Post = Post> {
  readonly post: P;
  readonly reads: number;
  /** The title, matches marked. */
  readonly title: readonly TextSegment[];
  /** The description, or where the words only stand in the text the place there, matches marked. */
  readonly snippet: readonly TextSegment[];
}

export interface TopicCount {
  readonly topic: string;
  /** How many of the results would be left with this topic chosen too; 0: the toggle is disabled. */
  readonly count: number;
  readonly selected: boolean;
}

export interface SearchPage<P extends Post = Post> {
  readonly results: readonly SearchResult<P>[];
  /** Results on all pages. */
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
 * The listed posts that fit `request`. `db` is the local cache file, where the full-text table lives; what is wrong
 * with it costs ranking, never the answer. Never throws for anything that a reader typed.
 */
export function searchPosts<P extends Post>(
  db: Database.Database,
  index: PostIndex<P>,
  request: SearchRequest = {},
): SearchPage<P> {
  const q = normalizeQuery(request.q ?? "");
  const sort =
    request.sort && (q !== "" || request.sort !== "relevance")
      ? request.sort
      : q === ""
        ? "newest"
        : "relevance";
  const read = request.readSlugs ? (request.readFilter ?? "all") : "all";
  const pageSize = Math.max(1, Math.floor(request.pageSize ?? PAGE_SIZE));
  const known = listTopics(index);
  const topics = [...new Set((request.topics ?? []).map(topicKey))].flatMap(
    (key) => known.get(key) ?? [],
  );
  const wanted = topics.map(topicKey);

  const found = q === "" ? null : findMatches(db, index, q);
  const fits = (post: P) => {
    if (found && !found.rankBySlug.has(post.slug)) return false;
    if (read !== "all" && request.readSlugs?.has(post.slug) !== (read === "read")) return false;
    const has = topicKeysOf(post);
    return wanted.every((topic) => has.has(topic));
  };
  const posts = listPosts(index).filter(fits); // newest first
  const reads = (post: P) => request.totals?.get(post.slug) ?? 0;
  if (sort === "most-read") posts.sort((a, b) => reads(b) - reads(a));
  if (sort === "relevance" && found) posts.sort((a, b) => rankOf(found, a) - rankOf(found, b));

  const pages = Math.max(1, Math.ceil(posts.length / pageSize));
  const page = Math.min(pages, Math.max(1, Math.floor(request.page || 1)));
  const counts = new Map<string, number>();
  for (const post of posts)
    for (const topic of topicKeysOf(post)) counts.set(topic, (counts.get(topic) ?? 0) + 1);
  return {
    results: posts
      .slice(0, page * pageSize)
      .map((post) => ({ post, reads: reads(post), ...highlightResult(db, found, post) })),
    total: posts.length,
    topicCounts: [...known].map(([key, topic]) => ({
      topic,
      count: counts.get(key) ?? 0,
      selected: wanted.includes(key),
    })),
    q,
    topics,
    sort,
    readFilter: read,
    page,
    nextPage: page < pages ? page + 1 : null,
  };
}

interface SearchMatches {
  /** Slug → place, best first. */
  readonly rankBySlug: ReadonlyMap<string, number>;
  /** Slug → the full-text query that found it; without one nothing is marked. */
  readonly queryBySlug: ReadonlyMap<string, string>;
}

function rankOf({ rankBySlug }: SearchMatches, post: Post): number {
  return rankBySlug.get(post.slug) ?? Infinity;
}

function findMatches(db: Database.Database, index: PostIndex, q: string): SearchMatches {
  const tiers = buildFtsQueries(splitWords(q));
  // Twice: a table that was broken is taken away and made again.
  for (let attempt = 0; tiers.length > 0 && attempt < 2; attempt++) {
    try {
      syncSearchTable(db, index);
      const hits = querySearchTable(db, tiers);
      return {
        rankBySlug: new Map(hits.map(({ slug }, place) => [slug, place])),
        queryBySlug: new Map(hits.map(({ slug, tier }) => [slug, tiers[tier] ?? ""])),
      };
    } catch (error) {
      log("warn", "posts.search_failed", { error, attempt });
      tryOrLog(() => dropSearchTables(db));
    }
  }
  // Signs without a letter (an emoji, "++"), or no table to be had: what stands above the text, as it was typed.
  const needle = normalizeText(q).toLowerCase();
  const holds = ({ frontMatter: { title, description, keywords, categories } }: Post) =>
    normalizeText([title, description, ...keywords, ...categories].join(" "))
      .toLowerCase()
      .includes(needle);
  const posts = needle === "" ? [] : listPosts(index).filter(holds);
  return {
    rankBySlug: new Map(posts.map(({ slug }, place) => [slug, place])),
    queryBySlug: new Map(),
  };
}

function highlightResult(
  db: Database.Database,
  found: SearchMatches | null,
  post: Post,
): { title: readonly TextSegment[]; snippet: readonly TextSegment[] } {
  const query = found?.queryBySlug.get(post.slug);
  const marks = query && tryOrLog(() => highlightPost(db, query, post.slug));
  if (marks) return marks;
  const { title, description } = post.frontMatter;
  return {
    title: [{ text: title, match: false }],
    snippet: description ? [{ text: description, match: false }] : [],
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

/** Topics that differ only in case are one. */
function topicKey(topic: string): string {
  return normalizeText(topic).toLowerCase();
}

function topicKeysOf({ frontMatter }: Post): Set<string> {
  return new Set(frontMatter.categories.map(topicKey));
}

/** Every topic of the listed posts by its key, alphabetically; written as the newest post writes it. */
export function listTopics(index: PostIndex): ReadonlyMap<string, string> {
  const topics = new Map<string, string>();
  for (const post of listPosts(index)) {
    for (const topic of post.frontMatter.categories)
      if (!topics.has(topicKey(topic))) topics.set(topicKey(topic), topic);
  }
  return new Map([...topics].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}
