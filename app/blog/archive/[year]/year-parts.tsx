// Loads the content of a year's page, which depends on the reader's languages: its posts by month,
// and links to the other years.

import { ArchiveYears } from "#components/post/archive-years.tsx";
import { formatDate, formatMonth, pluralize } from "#lib/core/format.ts";
import { currentReaderLanguages } from "#lib/http/reader-languages.ts";
import { postUrlPath } from "#lib/posts/addresses/post-address.ts";
import { listMonths, listYears } from "#lib/posts/archive.ts";
import { getIndex } from "#lib/posts/catalog/site-catalog.ts";
import { languageAttributes } from "#lib/posts/post-language.ts";
import { inReadersLanguage } from "#lib/posts/translations.ts";

/** Returns the personal parts of a year's page; null if it has no posts. */
export async function loadYearParts(year: string) {
  const index = await getIndex();
  const months = listMonths(index, year);
  const years = listYears(index);
  if (months.length === 0) return null;
  const languages = currentReaderLanguages();
  const count = months.reduce((sum, { posts }) => sum + posts.length, 0);
  const content = (
    <div className="wrap">
      <header className="page-head">
        <h1>{year}</h1>
        <p className="muted">{pluralize(count, "post")}</p>
        {years.length > 1 && <ArchiveYears years={years} current={year} />}
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
  return { year: content };
}
