// Describes a search result in words, for the search page and the palette.

import type { BrowserMessages } from "#lib/core/messages/browser/en.ts";
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

type SearchMessages = BrowserMessages["search"];

/** Returns "Post, November 3rd, 2026", "Episode 4, …" or "Page". */
export function describeKind(
  { kind, date, number }: SearchResultData,
  messages: SearchMessages,
): string {
  const name = kind === "episode" ? messages.episode(number ?? 0) : messages[kind];
  return date === null ? name : `${name}, ${messages.date(date)}`;
}

/** Returns how many results there are, in a sentence without a period. */
export function describeCount(
  { total, isApproximate }: Pick<SearchResponse, "total" | "isApproximate">,
  q: string,
  messages: SearchMessages,
): string {
  if (total === 0) return messages.noResults(q);
  return isApproximate ? messages.approximate(total, q) : messages.count(total, q);
}
