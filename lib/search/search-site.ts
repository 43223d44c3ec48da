// Searches everything a visitor may see: posts, pages and episodes.

import { formatIsoDate } from "#lib/core/format.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import {
  type EpisodeHead,
  listEpisodeHeads,
  readSpokenText,
} from "#lib/calls/searchable-episodes.ts";
import { cachedUntilChange } from "#lib/db/cached-until-change.ts";
import { read } from "#lib/db/database.ts";
import { encodePath, postUrlPath } from "#lib/posts/addresses/post-address.ts";
import { getIndex, listPages } from "#lib/posts/catalog/site-catalog.ts";
import { type Post, type PostIndex, countedSlug, findPost } from "#lib/posts/post.ts";
import {
  type DocumentKind,
  type SearchDocument,
  type SearchSource,
  episodeSource,
  pageSource,
  postSource,
} from "./search-document.ts";
import { type SearchMatch, findMatches, highlightMatch } from "./search-index.ts";
import { type TextSegment, normalizeQuery } from "./search-query.ts";

export const RESULTS_PER_PAGE = 20;

/** What a visitor may see now. */
export interface SearchableSite {
  readonly index: PostIndex;
  readonly pages: readonly Post[];
  readonly episodes: readonly EpisodeHead[];
}

/** Reads the posts, pages and episodes. Throws AppError(unavailable) if no content is published. */
export async function loadSearchableSite(): Promise<SearchableSite> {
  const [index, pages, episodes] = await Promise.all([
    getIndex(),
    listPages(),
    siteConfig.features.calls
      ? read((tx) => cachedUntilChange(tx, "searchable-episodes", () => listEpisodeHeads(tx)))
      : [],
  ]);
  return { index, pages, episodes };
}

export interface SiteSearchResult {
  readonly kind: DocumentKind;
  readonly slug: string;
  /** Path of its page, percent-encoded. */
  readonly path: string;
  readonly title: readonly TextSegment[];
  readonly snippet: readonly TextSegment[];
  /** YYYY-MM-DD; null for a page. */
  readonly date: string | null;
  /** The number of an episode. */
  readonly number: number | null;
  /** BCP 47, if it differs from the site's. */
  readonly lang: string | undefined;
}

export interface SiteSearchPage {
  /** The normalized query. */
  readonly q: string;
  readonly results: readonly SiteSearchResult[];
  readonly total: number;
  /** 1-based, at most `pages`. */
  readonly page: number;
  readonly pages: number;
  /** Nothing has all words as typed; these are similar. */
  readonly isApproximate: boolean;
}

/** Returns a page of results, best first; none for an empty query. Throws nothing for any `q`. */
export async function searchSite(
  site: SearchableSite,
  request: { readonly q: string; readonly page?: number; readonly pageSize?: number },
): Promise<SiteSearchPage> {
  const q = normalizeQuery(request.q);
  const { matches: found, isApproximate } =
    q === "" ? { matches: [], isApproximate: false } : await findMatches(listSources(site), q);
  const matches = dropTranslations(site.index, found);
  const pageSize = request.pageSize ?? RESULTS_PER_PAGE;
  const pages = Math.max(1, Math.ceil(matches.length / pageSize));
  const page = Math.min(pages, Math.max(1, Math.floor(request.page || 1)));
  return {
    q,
    results: matches
      .slice((page - 1) * pageSize, page * pageSize)
      .map((match) => ({ ...describeDocument(site, match.document), ...highlightMatch(match) })),
    total: matches.length,
    page,
    pages,
    isApproximate,
  };
}

/** Keeps one match of a post and its translations: the original if it matches, else the best one. */
function dropTranslations(index: PostIndex, matches: readonly SearchMatch[]): SearchMatch[] {
  const matchByKey = new Map<string, SearchMatch>();
  for (const match of matches) {
    const { kind, slug } = match.document;
    const original = kind === "post" ? countedSlug(index, slug) : slug;
    const key = `${kind}/${original}`;
    // Replacing a value keeps its place.
    if (!matchByKey.has(key) || slug === original) matchByKey.set(key, match);
  }
  return [...matchByKey.values()];
}

function listSources({ index, pages, episodes }: SearchableSite): SearchSource[] {
  return [
    postSource(index),
    pageSource(pages),
    episodeSource(episodes, (slug) => read((tx) => readSpokenText(tx, slug))),
  ];
}

function describeDocument(
  { index, pages, episodes }: SearchableSite,
  { kind, slug }: SearchDocument,
): Pick<SiteSearchResult, "kind" | "slug" | "path" | "date" | "number" | "lang"> {
  if (kind === "episode") {
    const { number, publishedAtMs } = episodes.find((episode) => episode.slug === slug)!;
    const date = formatIsoDate(publishedAtMs);
    return { kind, slug, path: `/calls/${slug}`, date, number, lang: undefined };
  }
  const post = kind === "post" ? findPost(index, slug)! : pages.find((page) => page.slug === slug)!;
  const { date, lang } = post.frontMatter;
  return kind === "post"
    ? { kind, slug, path: postUrlPath(post), date, number: null, lang }
    : { kind, slug, path: encodePath(`/${slug}`), date: null, number: null, lang };
}
