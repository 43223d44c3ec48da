// Renders the posts of a year by month, and links to the other years.

import type { Metadata } from "next";
import { connection } from "next/server";
import { NotFoundPage, setNotFoundStatus } from "#app/not-found-page.tsx";
import { ArchiveYears } from "#components/post/archive-years.tsx";
import { formatDate, formatMonth, pluralize } from "#lib/core/format.ts";
import { currentReaderLanguages } from "#lib/http/reader-languages.ts";
import { readSessionCookies } from "#lib/members/viewer.ts";
import { postUrlPath } from "#lib/posts/addresses/post-address.ts";
import { listMonths, listYears } from "#lib/posts/archive.ts";
import { getIndex } from "#lib/posts/catalog/site-catalog.ts";
import { feedAlternates } from "#lib/posts/feeds/feed-paths.ts";
import { languageAttributes } from "#lib/posts/post-language.ts";
import { inReadersLanguage } from "#lib/posts/translations.ts";

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
  const { year } = await params;
  const index = await getIndex();
  const months = listMonths(index, year);
  if (months.length === 0) {
    setNotFoundStatus();
    return <NotFoundPage sessionIds={await readSessionCookies()} />;
  }
  const languages = currentReaderLanguages();
  const count = months.reduce((sum, { posts }) => sum + posts.length, 0);
  return (
    <div className="wrap">
      <header className="page-head">
        <h1>{year}</h1>
        <p className="muted">{pluralize(count, "post")}</p>
        <ArchiveYears years={listYears(index)} current={year} />
      </header>
      {months.map(({ month, posts }) => (
        <section key={month} className="archive-month" aria-labelledby={`m-${month}`}>
          <h2 id={`m-${month}`}>{formatMonth(month)}</h2>
          <ul>
            {posts
              .map((post) => inReadersLanguage(index, post, languages))
              .map((post) => (
                <li key={post.slug}>
                  <time className="muted figures" dateTime={post.frontMatter.date}>
                    {formatDate(post.frontMatter.date)}
                  </time>
                  <a href={postUrlPath(post)} {...languageAttributes(post.frontMatter)}>
                    {post.frontMatter.title}
                  </a>
                </li>
              ))}
          </ul>
        </section>
      ))}
    </div>
  );
}
