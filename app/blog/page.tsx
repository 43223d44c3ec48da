// Renders the list of posts with search, topics, order and a featured post. Every state has a URL.

import type { Metadata } from "next";
import { connection } from "next/server";
import { ArchiveYears } from "#components/post/archive-years.tsx";
import { ListTools } from "./list-tools.tsx";
import { PostSearch } from "#components/post/post-search.tsx";
import { PersonalPart } from "#components/ui/personal-part.tsx";
import { type SearchParams, lastValue } from "#lib/http/search-params.ts";
import { readPreviousVisit } from "#lib/members/last-visit.ts";
import { readSessionCookies } from "#lib/members/viewer.ts";
import { listYears } from "#lib/posts/archive.ts";
import { getIndex } from "#lib/posts/catalog/site-catalog.ts";
import { feedAlternates } from "#lib/posts/feeds/feed-paths.ts";
import { loadListParts } from "./list-parts.tsx";

interface Props {
  searchParams: Promise<SearchParams>;
}

export async function generateMetadata({ searchParams }: Props): Promise<Metadata> {
  const query = await searchParams;
  const q = lastValue(query.q).slice(0, 200);
  return {
    title: q ? `Search: ${q}` : "Posts",
    description: "All posts. Search, filter by topic, or sort by date and popularity.",
    alternates: { canonical: "/blog", types: feedAlternates },
    // Filtered lists are duplicate content.
    robots: Object.keys(query).length > 0 ? { index: false, follow: true } : undefined,
  };
}

export default async function BlogPage({ searchParams }: Props) {
  const query = await searchParams;
  await connection();
  const { parts, search, state } = await loadListParts(
    await readSessionCookies(),
    await readPreviousVisit(),
    query,
  );
  return (
    <div className="wrap">
      <PersonalPart name="head">{parts.head}</PersonalPart>
      <PostSearch
        state={state}
        tools={
          <ListTools search={search} state={state}>
            <PersonalPart name="read-filter">{parts["read-filter"]}</PersonalPart>
          </ListTools>
        }
      >
        <PersonalPart name="results">{parts.results}</PersonalPart>
      </PostSearch>
      <ArchiveYears years={listYears(await getIndex())} />
    </div>
  );
}
