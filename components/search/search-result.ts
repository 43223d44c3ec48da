// Describes a search result in words, for the search page and the palette.

import { formatDate } from "#lib/core/format.ts";
import type { TextSegment } from "#lib/search/search-query.ts";

/** Longer queries are truncated (lib/search/search-query.ts). */
export const MAX_QUERY_CHARACTERS = 200;

/** A result as /search/results sends it. */
export interface SearchResultData {
  readonly kind: "post" | "page" | "episode";
  readonly path: string;
  readonly title: readonly TextSegment[];
  readonly snippet: readonly TextSegment[];
  /** YYYY-MM-DD; null for a page. */
  readonly date: string | null;
  /** The number of an episode. */
  readonly number: number | null;
  /** BCP 47, if it differs from the site's. */
  readonly lang?: string | undefined;
}

/** What /search/results sends. */
export interface SearchResponse {
  readonly results: readonly SearchResultData[];
  readonly total: number;
  /** True if nothing has all words as typed: the results are similar. */
  readonly isApproximate: boolean;
}

/** Returns "Post, November 3rd, 2026", "Episode 4, …" or "Page". */
export function describeKind({ kind, date, number }: SearchResultData): string {
  const name = { post: "Post", page: "Page", episode: `Episode ${number}` }[kind];
  return date === null ? name : `${name}, ${formatDate(date)}`;
}

/** Returns how many results there are, in a sentence without a period. */
export function describeCount(
  { total, isApproximate }: Pick<SearchResponse, "total" | "isApproximate">,
  q: string,
): string {
  if (total === 0) return `No results for “${q}”`;
  const results = total === 1 ? "1 result" : `${total} results`;
  return isApproximate
    ? `No exact matches for “${q}”. ${results} with similar words`
    : `${results} for “${q}”`;
}
