// Renders the search page: a form, and the posts, pages and episodes that match.

import type { Metadata } from "next";
import { connection } from "next/server";
import { SearchField } from "#components/search/search-field.tsx";
import { describeCount } from "#components/search/search-result.ts";
import { en } from "#lib/core/messages/browser/en.ts";
import { SearchResults } from "#components/search/search-results.tsx";
import { listTopics, topicPath, topicTitle } from "#lib/posts/topics.ts";
import { loadSearchableSite, searchSite } from "#lib/search/search-site.ts";

interface Props {
  searchParams: Promise<Record<string, string | string[] | undefined>>;
}

async function parseRequest({ searchParams }: Props): Promise<{ q: string; page: number }> {
  const query = await searchParams;
  const last = (name: string) => [query[name] ?? ""].flat().at(-1) ?? "";
  return { q: last("q").slice(0, 400), page: Number.parseInt(last("page"), 10) || 1 };
}

export async function generateMetadata(props: Props): Promise<Metadata> {
  const { q } = await parseRequest(props);
  return {
    title: q ? `Search: ${q.slice(0, 100)}` : "Search",
    description: "Search this site.",
    robots: { index: false, follow: true },
  };
}

function pageHref(q: string, page: number): string {
  return `/search?${new URLSearchParams({ q, ...(page > 1 && { page: String(page) }) })}`;
}

export default async function SearchPage(props: Props) {
  const request = await parseRequest(props);
  await connection();
  const site = await loadSearchableSite();
  const found = await searchSite(site, request);
  const { q, page, pages } = found;
  return (
    <div className="wrap">
      <header className="page-head">
        <h1>Search</h1>
      </header>
      <SearchField q={q} autoFocus={q === ""} />
      {q !== "" && (
        <p role="status" className="muted search-count">
          {describeCount(found, q, en.search)}
          {pages > 1 && `, page ${page} of ${pages}`}
        </p>
      )}
      {found.results.length > 0 ? (
        <SearchResults results={found.results} />
      ) : (
        <NothingFound q={q} topics={[...listTopics(site.index).values()]} />
      )}
      {pages > 1 && (
        <nav className="pager" aria-label="Pages">
          {page > 1 && (
            <a className="more" rel="prev" href={pageHref(q, page - 1)}>
              Previous
            </a>
          )}
          {page < pages && (
            <a className="more" rel="next" href={pageHref(q, page + 1)}>
              Next
            </a>
          )}
        </nav>
      )}
    </div>
  );
}

function NothingFound({ q, topics }: { q: string; topics: readonly string[] }) {
  const hasTopics = topics.length > 0;
  if (q === "" && !hasTopics) return null;
  const hint = hasTopics
    ? "Try fewer words, just the start of a word, or a topic."
    : "Try fewer words, or just the start of a word.";
  return (
    <div className="nothing">
      <p>{q === "" ? "Search this site, or choose a topic." : hint}</p>
      {hasTopics && (
        <ul className="topics" aria-label="Topics">
          {topics.map((topic) => (
            <li key={topic}>
              <a href={topicPath(topic)}>{topicTitle(topic)}</a>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
