// Renders a member's post page with its data read in plain SQL instead of through Prisma.

import { connection } from "next/server";
import { renderPost, postMetadata } from "#app/blog/[slug]/render-post.tsx";
import { queryPostPageDataInSql } from "#bench/site/post-page-data.sql.ts";
import { withPageData } from "#bench/site/replaceable-page-data.ts";
import { readSql } from "#lib/db/sql.ts";
import { readSessionCookies } from "#lib/members/viewer.ts";

interface Props {
  params: Promise<{ slug: string }>;
}

export async function generateMetadata({ params }: Props) {
  const { slug } = await params;
  await connection();
  return postMetadata(slug);
}

export default async function Page({ params }: Props) {
  const { slug } = await params;
  await connection();
  return withPageData(
    (sessionIds) => readSql((sql) => queryPostPageDataInSql(sql, sessionIds, slug)),
    async () => renderPost(slug, await readSessionCookies()),
  );
}
