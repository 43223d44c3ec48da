// Renders a member's post page like a site whose database is a PostgreSQL in another region.

import { connection } from "next/server";
import { renderPost, postMetadata } from "#app/blog/[slug]/render-post.tsx";
import { withPageData } from "#bench/site/replaceable-page-data.ts";
import { queryPostPageDataInSql } from "#bench/site/post-page-data.sql.ts";
import { type Query, recordQueries, repeatOnPostgres } from "#bench/site/repeat-on-postgres.ts";
import { readSql } from "#lib/db/sql.ts";
import { readSessionCookies } from "#lib/members/viewer.ts";

interface Props {
  params: Promise<{ mode: string; slug: string }>;
}

export async function generateMetadata({ params }: Props) {
  const { slug } = await params;
  await connection();
  return postMetadata(slug);
}

export default async function Page({ params }: Props) {
  const { mode, slug } = await params;
  await connection();
  const queries: Query[] = [];
  const sessionIds = await readSessionCookies();
  const page = await withPageData(
    async () => {
      const data = await readSql((sql) =>
        queryPostPageDataInSql(recordQueries(sql, queries), sessionIds, slug),
      );
      await repeatOnPostgres(
        process.env.BENCH_POSTGRES_URL ?? "",
        queries,
        mode === "batched" ? "batched" : "sequential",
      );
      return data;
    },
    () => renderPost(slug, sessionIds),
  );
  return (
    <>
      {page}
      <span hidden data-statements={queries.length} />
    </>
  );
}
