// Finds the posts before and after a post.

import { listPosts, type Post, type PostIndex } from "./post.ts";
import type { Series } from "./series.ts";

export interface Neighbors {
  readonly previous: Post | null;
  readonly next: Post | null;
  readonly isSeries: boolean;
}

/**
 * Returns the neighbors of a post: in its series if it has one, otherwise by date, the older one
 * first. A post that isn't listed has none by date.
 */
export function findNeighbors(index: PostIndex, slug: string, series: Series | null): Neighbors {
  if (series) return { previous: series.previous, next: series.next, isSeries: true };
  const posts = listPosts(index);
  const position = posts.findIndex((post) => post.slug === slug);
  if (position < 0) return { previous: null, next: null, isSeries: false };
  return {
    previous: posts[position + 1] ?? null,
    next: posts[position - 1] ?? null,
    isSeries: false,
  };
}
