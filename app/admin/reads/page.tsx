// Renders /admin/reads: reads by day and by post.

import { getIndex } from "#lib/posts/catalog/site-catalog.ts";
import { adminMetadata, requireAdminPage } from "../require-admin-page.tsx";
import { type SearchParams, buildHref, lastValue } from "#lib/http/search-params.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { AdminLayout } from "#components/admin/admin-layout.tsx";
import { DataTable } from "#components/admin/data-table.tsx";
import { ReadsChart } from "#components/admin/reads-chart.tsx";
import { ReferrerTable } from "#components/admin/referrer-table.tsx";
import { DAY_MS, nowMs } from "#lib/core/clock.ts";
import { formatIsoDate, pluralize } from "#lib/core/format.ts";
import { read } from "#lib/db/database.ts";
import { compareWithPrevious, listDailyReads, listPostReads } from "#lib/reading/daily-reads.ts";
import {
  NO_VIEWS,
  type ViewCounts,
  findFirstViewDay,
  formatCompletion,
  listReferrers,
  sumViews,
  sumViewsByPost,
} from "#lib/reading/views.ts";
import { type PostReadsOrder, listPostRows, parseOrder } from "./post-reads.ts";

export const generateMetadata = () => adminMetadata("Reads");

const DAYS = 90;

const MAX_REFERRERS = 50;

/** Returns how many of the period's views finished. `firstDay` is the first day with views. */
function describeCompletion(views: ViewCounts, firstDay: number | null, today: number): string {
  if (firstDay === null) return "";
  const since =
    firstDay > today - DAYS + 1
      ? ` Views have been counted since ${formatIsoDate(firstDay * DAY_MS)}.`
      : "";
  return `${pluralize(views.started, "view")} started (completion: ${formatCompletion(views)}).${since}`;
}

async function loadReads(slugParam: string, titles: ReadonlyMap<string, string>) {
  const period = { days: DAYS, nowMs: nowMs() };
  return read(async (tx) => {
    const reads = await listPostReads(tx, period);
    const isKnown = titles.has(slugParam) || reads.some(({ slug }) => slug === slugParam);
    const slug = isKnown ? slugParam : null;
    const views = await sumViewsByPost(tx, period);
    return {
      slug,
      reads,
      views,
      days: await listDailyReads(tx, { ...period, slug, days: 2 * DAYS }),
      referrers: await listReferrers(tx, { ...period, slug, limit: MAX_REFERRERS }),
      firstDay: await findFirstViewDay(tx),
    };
  });
}

export default async function ReadsPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const { admin, notFoundPage } = await requireAdminPage("/admin/reads");
  if (!admin) return notFoundPage;
  const query = await searchParams;
  const { posts } = await getIndex();
  const titles = new Map(posts.map(({ slug, frontMatter }) => [slug, frontMatter.title]));
  const slugParam = lastValue(query.slug);
  const { slug, reads, views, days, referrers, firstDay } = await loadReads(slugParam, titles);
  const recent = days.slice(-DAYS);
  const total = recent.reduce((sum, day) => sum + day.total, 0);
  const comparison = compareWithPrevious(days);
  const sort = parseOrder(lastValue(query.sort));
  const name = slug === null ? "the whole site" : (titles.get(slug) ?? slug);
  const shownViews = slug === null ? sumViews([...views.values()]) : (views.get(slug) ?? NO_VIEWS);
  const columnOf = (key: PostReadsOrder, label: string) => ({
    label,
    sortHref: buildHref("/admin/reads", { slug, sort: key }),
    sorted:
      sort !== key ? undefined : key === "title" ? ("ascending" as const) : ("descending" as const),
  });
  return (
    <AdminLayout
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
          {pluralize(total, "read")} in {DAYS} days. {comparison && `${comparison}. `}
          {describeCompletion(shownViews, firstDay, recent.at(-1)!.day)}
        </p>
        <ReadsChart days={recent} previous={days.slice(0, DAYS)} label={`Reads of ${name}`} />
        <p>
          <a href={buildHref("/admin/reads/daily.csv", { slug })}>Download as CSV</a>
        </p>
      </section>
      <section className="desk-section" aria-labelledby="referrers">
        <h2 id="referrers">Referrers</h2>
        {referrers.length === 0 ? (
          <p className="muted">No views yet.</p>
        ) : (
          <ReferrerTable referrers={referrers} />
        )}
        <p className="muted">
          Sites that readers came from in the last {DAYS} days. A view starts after five seconds and
          finishes when its read counts.
        </p>
        <p>
          <a href={buildHref("/admin/reads/views.csv", { slug })}>Download as CSV</a>
        </p>
      </section>
      <section className="desk-section" aria-labelledby="posts">
        <h2 id="posts">By post</h2>
        <DataTable
          label="Reads by post"
          rows={listPostRows({ posts, reads, views }, sort)}
          keyOf={(row) => row.slug}
          columns={[
            {
              ...columnOf("title", "Post"),
              render: (row) => (
                <>
                  <a
                    href={buildHref("/admin/reads", { slug: row.slug, sort })}
                    aria-current={row.slug === slug ? "true" : undefined}
                  >
                    {row.title ?? row.slug}
                  </a>
                  {row.title === null && <small>Deleted post</small>}
                </>
              ),
            },
            {
              ...columnOf("started", "Started"),
              kind: "number",
              render: (row) => row.views.started,
            },
            { ...columnOf("recent", "Finished"), kind: "number", render: (row) => row.recent },
            {
              ...columnOf("completion", "Completion"),
              kind: "number",
              render: (row) => formatCompletion(row.views),
            },
            { ...columnOf("reads", "All-time reads"), kind: "number", render: (row) => row.reads },
          ]}
        />
        <p className="muted">Except for all-time reads, the numbers cover the last {DAYS} days.</p>
      </section>
    </AdminLayout>
  );
}
