// Finding posts: words, topics, read or unread; in an order; some at a time.

import type Database from "better-sqlite3";
import { log } from "../base/log.ts";
import { listPosts, type Post, type PostIndex } from "./post.ts";
import { type Segment, cleanQuery, plainText, tiersOf, wordsOf } from "./search-query.ts";
import { dropSearch, marksOf, prepareSearch, searchTable } from "./search-table.ts";

export const PAGE_SIZE = 12;
export const SORTS = ["newest", "most-read", "relevance"] as const;
export type Sort = (typeof SORTS)[number];
export const READ_FILTERS = ["all", "read", "unread"] as const;
export type ReadFilter = (typeof READ_FILTERS)[number];

export interface SearchRequest {
  /** Anything a reader may type. */
  readonly q?: string;
  /** Topics that a post must all have. Unknown ones are left out. */
  readonly topics?: readonly string[];
  /** By default relevance for a query, else newest. */
  readonly sort?: Sort;
  /** Only with `readSlugs`. */
  readonly read?: ReadFilter;
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
  readonly title: readonly Segment[];
  /** The description, or where the words only stand in the text the place there, matches marked. */
  readonly snippet: readonly Segment[];
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
  readonly sort: Sort;
  readonly read: ReadFilter;
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
  const q = cleanQuery(request.q ?? "");
  const sort =
    request.sort && (q !== "" || request.sort !== "relevance")
      ? request.sort
      : q === ""
        ? "newest"
        : "relevance";
  const read = request.readSlugs ? (request.read ?? "all") : "all";
  const pageSize = Math.max(1, Math.floor(request.pageSize ?? PAGE_SIZE));
  const known = topicsOf(index);
  const topics = [...new Set((request.topics ?? []).map(keyOf))].flatMap(
    (key) => known.get(key) ?? [],
  );
  const wanted = topics.map(keyOf);

  const found = q === "" ? null : find(db, index, q);
  const fits = (post: P) => {
    if (found && !found.order.has(post.slug)) return false;
    if (read !== "all" && request.readSlugs?.has(post.slug) !== (read === "read")) return false;
    const has = categoriesOf(post);
    return wanted.every((topic) => has.has(topic));
  };
  const posts = listPosts(index).filter(fits); // newest first
  const reads = (post: P) => request.totals?.get(post.slug) ?? 0;
  if (sort === "most-read") posts.sort((a, b) => reads(b) - reads(a));
  if (sort === "relevance" && found) posts.sort((a, b) => rank(found, a) - rank(found, b));

  const pages = Math.max(1, Math.ceil(posts.length / pageSize));
  const page = Math.min(pages, Math.max(1, Math.floor(request.page || 1)));
  const counts = new Map<string, number>();
  for (const post of posts)
    for (const topic of categoriesOf(post)) counts.set(topic, (counts.get(topic) ?? 0) + 1);
  return {
    results: posts
      .slice(0, page * pageSize)
      .map((post) => ({ post, reads: reads(post), ...marked(db, found, post) })),
    total: posts.length,
    topicCounts: [...known].map(([key, topic]) => ({
      topic,
      count: counts.get(key) ?? 0,
      selected: wanted.includes(key),
    })),
    q,
    topics,
    sort,
    read,
    page,
    nextPage: page < pages ? page + 1 : null,
  };
}

interface Found {
  /** Slug → place, best first. */
  readonly order: ReadonlyMap<string, number>;
  /** Slug → the full-text query that found it; without one nothing is marked. */
  readonly queries: ReadonlyMap<string, string>;
}

function rank({ order }: Found, post: Post): number {
  return order.get(post.slug) ?? Infinity;
}

function find(db: Database.Database, index: PostIndex, q: string): Found {
  const tiers = tiersOf(wordsOf(q));
  // Twice: a table that was broken is taken away and made again.
  for (let attempt = 0; tiers.length > 0 && attempt < 2; attempt++) {
    try {
      prepareSearch(db, index);
      const hits = searchTable(db, tiers);
      return {
        order: new Map(hits.map(({ slug }, place) => [slug, place])),
        queries: new Map(hits.map(({ slug, tier }) => [slug, tiers[tier] ?? ""])),
      };
    } catch (error) {
      log("warn", "posts.search_failed", { error, attempt });
      attemptTo(() => dropSearch(db));
    }
  }
  // Signs without a letter (an emoji, "++"), or no table to be had: what stands above the text, as it was typed.
  const needle = plainText(q).toLowerCase();
  const holds = ({ frontMatter: { title, description, keywords, categories } }: Post) =>
    plainText([title, description, ...keywords, ...categories].join(" "))
      .toLowerCase()
      .includes(needle);
  const posts = needle === "" ? [] : listPosts(index).filter(holds);
  return { order: new Map(posts.map(({ slug }, place) => [slug, place])), queries: new Map() };
}

function marked(
  db: Database.Database,
  found: Found | null,
  post: Post,
): { title: readonly Segment[]; snippet: readonly Segment[] } {
  const query = found?.queries.get(post.slug);
  const marks = query && attemptTo(() => marksOf(db, query, post.slug));
  if (marks) return marks;
  const { title, description } = post.frontMatter;
  return {
    title: [{ text: title, match: false }],
    snippet: description ? [{ text: description, match: false }] : [],
  };
}

function attemptTo<T>(fn: () => T): T | null {
  try {
    return fn();
  } catch (error) {
    log("warn", "posts.search_failed", { error });
    return null;
  }
}

/** Topics that differ only in case are one. */
function keyOf(topic: string): string {
  return plainText(topic).toLowerCase();
}

function categoriesOf({ frontMatter }: Post): Set<string> {
  return new Set(frontMatter.categories.map(keyOf));
}

/** Every topic of the listed posts by its key, alphabetically; written as the newest post writes it. */
export function topicsOf(index: PostIndex): ReadonlyMap<string, string> {
  const topics = new Map<string, string>();
  for (const post of listPosts(index)) {
    for (const topic of post.frontMatter.categories)
      if (!topics.has(keyOf(topic))) topics.set(keyOf(topic), topic);
  }
  return new Map([...topics].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}
