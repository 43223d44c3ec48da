// Builds the URL of a list of posts. Defaults are omitted, so that equal lists have equal URLs.

export interface PostListState {
  readonly q: string;
  readonly topics: readonly string[];
  /** Default: relevance with a query, else newest. */
  readonly sort?: string;
  readonly read?: string;
  readonly page?: number;
}

/** Returns "/blog" or "/blog?q=…&topic=…&sort=…&read=…&page=…". */
export function postListHref({ q, topics, sort, read, page }: PostListState): string {
  const query = new URLSearchParams();
  if (q) query.set("q", q);
  for (const topic of topics) query.append("topic", topic);
  if (sort && sort !== (q ? "relevance" : "newest")) query.set("sort", sort);
  if (read && read !== "all") query.set("read", read);
  if (page && page > 1) query.set("page", String(page));
  const text = query.toString();
  return text ? `/blog?${text}` : "/blog";
}
