// Lists the posts with their reads and views, for the table of /admin/reads.

import type { PostSummary } from "#lib/posts/post.ts";
import { NO_VIEWS, type ViewCounts } from "#lib/reading/views.ts";

export interface PostReadsRow {
  readonly slug: string;
  /** null: the post was deleted. */
  readonly title: string | null;
  /** All reads. */
  readonly reads: number;
  /** Reads of the period. */
  readonly recent: number;
  /** Views of the period. */
  readonly views: ViewCounts;
}

const completion = ({ views: { started, finished } }: PostReadsRow) =>
  started === 0 ? -1 : finished / started;

const ORDERS = {
  title: (a: PostReadsRow, b: PostReadsRow) =>
    (a.title ?? a.slug).localeCompare(b.title ?? b.slug, "en"),
  started: (a: PostReadsRow, b: PostReadsRow) => b.views.started - a.views.started,
  recent: (a: PostReadsRow, b: PostReadsRow) => b.recent - a.recent,
  completion: (a: PostReadsRow, b: PostReadsRow) => completion(b) - completion(a),
  reads: (a: PostReadsRow, b: PostReadsRow) => b.reads - a.reads,
};
export type PostReadsOrder = keyof typeof ORDERS;

/** Returns the order named `text`; by default, the most read posts first. */
export const parseOrder = (text: string): PostReadsOrder =>
  Object.hasOwn(ORDERS, text) ? (text as PostReadsOrder) : "reads";

/** Returns every post of the site, and every deleted post with reads, in this order. */
export function listPostRows(
  {
    posts,
    reads,
    views,
  }: {
    posts: readonly Pick<PostSummary, "slug" | "frontMatter">[];
    reads: readonly { slug: string; reads: number; recent: number }[];
    views: ReadonlyMap<string, ViewCounts>;
  },
  order: PostReadsOrder,
): PostReadsRow[] {
  const titles = new Map(posts.map(({ slug, frontMatter }) => [slug, frontMatter.title]));
  const bySlug = new Map(reads.map((each) => [each.slug, each]));
  const rows = [...new Set([...titles.keys(), ...bySlug.keys()])].map((slug) => ({
    slug,
    title: titles.get(slug) ?? null,
    reads: bySlug.get(slug)?.reads ?? 0,
    recent: bySlug.get(slug)?.recent ?? 0,
    views: views.get(slug) ?? NO_VIEWS,
  }));
  return rows.sort((a, b) => ORDERS[order](a, b) || (a.slug < b.slug ? -1 : 1));
}
