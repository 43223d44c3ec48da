// Renders the posts of a year.

import type { Metadata } from "next";
import { connection } from "next/server";
import { renderNotFound } from "#app/not-found-page.tsx";
import { PersonalPart } from "#components/ui/personal-part.tsx";
import { readSessionCookies } from "#lib/members/viewer.ts";
import { listMonths } from "#lib/posts/archive.ts";
import { getIndex } from "#lib/posts/catalog/site-catalog.ts";
import { feedAlternates } from "#lib/posts/feeds/feed-paths.ts";
import { loadYearParts } from "./year-parts.tsx";

interface Props {
  params: Promise<{ year: string }>;
}

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const { year } = await params;
  await connection();
  if (listMonths(await getIndex(), year).length === 0)
    return { title: "Not found", robots: { index: false } };
  return {
    title: `Posts from ${year}`,
    description: `All posts from ${year}.`,
    alternates: { canonical: `/blog/archive/${year}`, types: feedAlternates },
  };
}

export default async function ArchivePage({ params }: Props) {
  await connection();
  const parts = await loadYearParts((await params).year);
  if (!parts) return renderNotFound(await readSessionCookies());
  return <PersonalPart name="year">{parts.year}</PersonalPart>;
}
