// Renders a member's post page like a site whose database is a PostgreSQL in another region.

import { connection } from "next/server";
import { renderPost, postMetadata } from "#app/blog/[slug]/render-post.tsx";
import { withPageData } from "#bench/site/replaceable-page-data.ts";
import { type Query, recordQueries, repeatOnPostgres } from "#bench/site/repeat-on-postgres.ts";
import { readSql } from "#lib/db/database.ts";
import { readSessionCookies } from "#lib/members/viewer.ts";
import { queryPostPageData } from "#lib/posts/page-data.ts";

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
  const identity = await readSessionCookies();
  const page = await withPageData(
    async () => {
      const data = await readSql((local) => {
        const sql = recordQueries(local, queries);
        // The middleware's query before every member page: checks whether the session is due for
        // renewal.
        sql.get(
          `SELECT "expirationDate" AS "expiresAtMs" FROM "Session" WHERE "id" = ?`,
          identity.sessionKey,
        );
        return queryPostPageData(sql, identity, slug);
      });
      await repeatOnPostgres(
        process.env.BENCH_POSTGRES_URL ?? "",
        queries,
        mode === "batched" ? "batched" : "sequential",
      );
      return data;
    },
    () => renderPost(slug, identity),
  );
  return (
    <>
      {page}
      <span hidden data-statements={queries.length} />
    </>
  );
}
