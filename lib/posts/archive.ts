// Groups the listed posts by year and month.

import { listPosts, type Post, type PostIndex } from "./post.ts";

const yearOf = ({ frontMatter }: Post): string => frontMatter.date.slice(0, 4);

/** Returns the years in which posts were published, newest first, with their numbers of posts. */
export function listYears(index: PostIndex): { year: string; count: number }[] {
  const years = Map.groupBy(listPosts(index), yearOf);
  return [...years].map(([year, posts]) => ({ year, count: posts.length }));
}

/** Returns the posts of a year by month (YYYY-MM), newest first; none for an unknown year. */
export function listMonths(
  index: PostIndex,
  year: string,
): { month: string; posts: readonly Post[] }[] {
  const posts = listPosts(index).filter((post) => yearOf(post) === year);
  const months = Map.groupBy(posts, ({ frontMatter }) => frontMatter.date.slice(0, 7));
  return [...months].map(([month, each]) => ({ month, posts: each }));
}
