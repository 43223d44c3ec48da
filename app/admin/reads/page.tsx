// Renders /admin/reads: reads by day and by post.

import { getIndex } from "#lib/posts/catalog/site-catalog.ts";
import { adminMetadata, requireAdminPage } from "../require-admin-page.tsx";
import { type SearchParams, buildHref, lastValue } from "#lib/http/search-params.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { AdminFrame } from "#components/admin/admin-frame.tsx";
import { ReadsChart } from "#components/admin/reads-chart.tsx";
import { ScrollableTable } from "#components/admin/scrollable-table.tsx";
import { nowMs } from "#lib/core/clock.ts";
import { pluralize } from "#lib/core/format.ts";
import { read } from "#lib/db/database.ts";
import { compareWithPrevious, listDailyReads, listPostReads } from "#lib/reading/daily-reads.ts";

export const generateMetadata = () => adminMetadata("Reads");

const DAYS = 90;

interface PostReadsRow {
  readonly slug: string;
  /** null: the post was deleted. */
  readonly title: string | null;
  readonly reads: number;
  readonly recent: number;
}

const SORTS: Record<
  string,
  { label: string; order: (a: PostReadsRow, b: PostReadsRow) => number }
> = {
  reads: { label: "All time", order: (a, b) => b.reads - a.reads },
  recent: { label: `Last ${DAYS} days`, order: (a, b) => b.recent - a.recent },
  title: {
    label: "Post",
    order: (a, b) => (a.title ?? a.slug).localeCompare(b.title ?? b.slug, "en"),
  },
};

export default async function ReadsPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const { admin, notFoundPage } = await requireAdminPage("/admin/reads");
  if (!admin) return notFoundPage;
  const query = await searchParams;
  const { posts } = await getIndex();
  const now = nowMs();
  const titles = new Map(posts.map(({ slug, frontMatter }) => [slug, frontMatter.title]));
  const slugParam = lastValue(query.slug);
  const { days, counted, slug } = await read(async (tx) => {
    const counted = await listPostReads(tx, { days: DAYS, nowMs: now });
    const slug =
      titles.has(slugParam) || counted.some((post) => post.slug === slugParam) ? slugParam : null;
    return { counted, slug, days: await listDailyReads(tx, { slug, days: 2 * DAYS, nowMs: now }) };
  });
  const recent = days.slice(-DAYS);
  const total = recent.reduce((sum, day) => sum + day.total, 0);
  const comparison = compareWithPrevious(days);
  const readSlugs = new Set(counted.map((post) => post.slug));
  const rows: PostReadsRow[] = [
    ...counted.map((post) => ({ ...post, title: titles.get(post.slug) ?? null })),
    ...posts
      .filter((post) => !readSlugs.has(post.slug))
      .map((post) => ({ slug: post.slug, title: post.frontMatter.title, reads: 0, recent: 0 })),
  ];
  const sort = Object.hasOwn(SORTS, lastValue(query.sort)) ? lastValue(query.sort) : "reads";
  rows.sort((a, b) => SORTS[sort]!.order(a, b) || (a.slug < b.slug ? -1 : 1));
  const name = slug === null ? "the whole site" : (titles.get(slug) ?? slug);

  const sortHeader = (key: string, isNumber: boolean) => (
    <th
      scope="col"
      className={isNumber ? "number" : undefined}
      aria-sort={sort === key ? (isNumber ? "descending" : "ascending") : undefined}
    >
      <a href={buildHref("/admin/reads", { slug, sort: key })}>{SORTS[key]!.label}</a>
    </th>
  );
  return (
    <AdminFrame
      current="reads"
      title="Reads"
      lead={
        slugParam && slug === null
          ? `No post “${slugParam.slice(0, 100)}”. Showing the whole site.`
          : `Reads of ${name} in the last ${DAYS} days${siteConfig.features.teams ? ", by team" : ""}`
      }
    >
      <section className="desk-section" aria-labelledby="days">
        <h2 id="days">Daily</h2>
        {slug !== null && (
          <p>
            <a href={buildHref("/admin/reads", { sort })}>Whole site</a>
          </p>
        )}
        <p className="figures">
          {pluralize(total, "read")} in {DAYS} days. {comparison && `${comparison}.`}
        </p>
        <ReadsChart days={recent} label={`Reads of ${name}`} />
        <p>
          <a href={buildHref("/admin/reads/daily.csv", { slug })}>Download as CSV</a>
        </p>
      </section>
      <section className="desk-section" aria-labelledby="posts">
        <h2 id="posts">By post</h2>
        <ScrollableTable label="Reads by post">
          <thead>
            <tr>
              {sortHeader("title", false)}
              {sortHeader("recent", true)}
              {sortHeader("reads", true)}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.slug}>
                <th scope="row">
                  <a
                    href={buildHref("/admin/reads", { slug: row.slug, sort })}
                    aria-current={row.slug === slug ? "true" : undefined}
                  >
                    {row.title ?? row.slug}
                  </a>
                  {row.title === null && <small>Deleted post</small>}
                </th>
                <td className="number">{row.recent}</td>
                <td className="number">{row.reads}</td>
              </tr>
            ))}
          </tbody>
        </ScrollableTable>
      </section>
    </AdminFrame>
  );
}
