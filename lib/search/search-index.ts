// Finds the documents that match a query. Keeps the index up to date in the background.

import { setImmediate, setTimeout } from "node:timers/promises";
import { withCacheDatabase } from "#lib/cache/cache-file.ts";
import { SECOND_MS } from "#lib/core/clock.ts";
import { log } from "#lib/core/log.ts";
import { singleton } from "#lib/core/singleton.ts";
import { type SearchHit, highlightHit, querySearchTable } from "./query-search-table.ts";
import { type SearchDocument, type SearchSource, foldText } from "./search-document.ts";
import { type TextSegment, markDerivedTerms, normalizeText, parseQuery } from "./search-query.ts";
import type { SearchTerm } from "./search-terms.ts";
import { dropSearchTables, isUpToDate, syncSearchTable } from "./search-table.ts";

/** A search waits this long for the index, and then finds what is indexed. */
const MAX_WAIT_MS = 2 * SECOND_MS;

export interface SearchMatch {
  readonly document: SearchDocument;
  /** Null if the tables failed: nothing is marked. */
  readonly hit: SearchHit | null;
  /** The query's terms. */
  readonly terms?: readonly SearchTerm[];
}

export interface SearchMatches {
  /** Best first. */
  readonly matches: readonly SearchMatch[];
  /** No document has all words as typed; these are similar. */
  readonly isApproximate: boolean;
}

/**
 * Returns the documents of `sources` that match a normalized query. Anything that is not in
 * `sources` is never found, even if it is still in the index. Never throws, whatever a reader types.
 */
export async function findMatches(
  sources: readonly SearchSource[],
  q: string,
): Promise<SearchMatches> {
  const query = parseQuery(q);
  const folded = foldText(q);
  for (let attempt = 0; query.tiers.length > 0 && attempt < 2; attempt++) {
    try {
      await waitForIndex(sources);
      const kinds = sources.map(({ kind }) => kind);
      const { hits, isApproximate } = withCacheDatabase((db) => querySearchTable(db, query, kinds));
      const matches = hits.flatMap((hit) => {
        const document = findDocument(sources, hit.key);
        return document?.fingerprint === hit.fingerprint
          ? [{ document, hit, terms: query.terms }]
          : [];
      });
      const isExact = ({ document }: SearchMatch) => document.foldedTitle === folded;
      return {
        matches: [...matches.filter(isExact), ...matches.filter((match) => !isExact(match))],
        isApproximate,
      };
    } catch (error) {
      log("warn", "search.failed", { error, attempt });
      // A query must not be able to make the site index everything again.
      if (/^fts5: syntax error/.test((error as Error).message)) break;
      // The second attempt rebuilds the tables.
      tryOrLog(() => withCacheDatabase(dropSearchTables));
    }
  }
  return { matches: findWithoutTable(sources, q), isApproximate: false };
}

async function waitForIndex(sources: readonly SearchSource[]): Promise<void> {
  const timer = new AbortController();
  const timeout = setTimeout(MAX_WAIT_MS, null, { ref: false, signal: timer.signal });
  await Promise.race([indexSources(sources), timeout]).finally(() => timer.abort());
}

function findDocument(sources: readonly SearchSource[], key: string): SearchDocument | undefined {
  for (const { documents } of sources) {
    const document = documents.get(key);
    if (document) return document;
  }
  return undefined;
}

/**
 * Searches for a substring in everything but the body, for queries without a letter ("++", an emoji)
 * or if the tables failed.
 */
function findWithoutTable(sources: readonly SearchSource[], q: string): SearchMatch[] {
  const needle = normalizeText(q).toLowerCase();
  if (needle === "") return [];
  return sources.flatMap(({ documents }) =>
    [...documents.values()]
      .filter(({ title, topics, description }) =>
        normalizeText([title, topics, description].join(" ")).toLowerCase().includes(needle),
      )
      .map((document) => ({ document, hit: null })),
  );
}

/** Returns the title and a short excerpt of a match, with the matches in them marked. */
export function highlightMatch({ document, hit, terms = [] }: SearchMatch): {
  title: readonly TextSegment[];
  snippet: readonly TextSegment[];
} {
  const highlighted =
    hit && tryOrLog(() => withCacheDatabase((db) => highlightHit(db, hit, terms)));
  if (highlighted)
    return {
      title: markDerivedTerms(highlighted.title, terms),
      snippet: markDerivedTerms(highlighted.snippet, terms),
    };
  const { title, description } = document;
  return {
    title: [{ text: title, isMatch: false }],
    snippet: description ? [{ text: description, isMatch: false }] : [],
  };
}

function tryOrLog<T>(fn: () => T): T | null {
  try {
    return fn();
  } catch (error) {
    log("warn", "search.failed", { error });
    return null;
  }
}

/** The build in progress of each kind of document. */
const builds = singleton(
  "search-builds",
  () => new Map<string, { fingerprint: string; done: Promise<void> }>(),
);

/** Resolves when the index has exactly the documents of `sources`. Never rejects. */
export async function indexSources(sources: readonly SearchSource[]): Promise<void> {
  for (const source of sources) await indexSource(source);
}

async function indexSource(source: SearchSource): Promise<void> {
  for (;;) {
    const build = builds.get(source.kind);
    if (build?.fingerprint === source.fingerprint) return build.done;
    if (!build) break;
    await build.done;
  }
  if (tryOrLog(() => withCacheDatabase((db) => isUpToDate(db, source)))) return;
  const done = buildIndex(source).finally(() => builds.delete(source.kind));
  builds.set(source.kind, { fingerprint: source.fingerprint, done });
  return done;
}

/** Builds in batches of a few milliseconds, between which other requests run. */
async function buildIndex(source: SearchSource): Promise<void> {
  const startedMs = performance.now();
  let batches = 0;
  await setImmediate(); // the caller has just listed the documents
  try {
    for await (const _ of syncSearchTable(source)) {
      batches += 1;
      await setImmediate();
    }
    log("info", "search.indexed", {
      kind: source.kind,
      documents: source.documents.size,
      batches,
      ms: Math.round(performance.now() - startedMs),
    });
  } catch (error) {
    log("warn", "search.failed", { error });
  }
}
