// A member's page of a post as an app makes it whose database is a Postgres in another region. Part of bench builds only.

import { connection } from "next/server";
import { renderPost, postMetadata } from "#app/blog/[slug]/render-post.tsx";
import { queryPostPageData } from "#lib/posts/page-data.ts";
import { type Asked, askFar, recording } from "../../postgres.ts";
import { readSql } from "#lib/db/database.ts";
import { readSessionCookies } from "#lib/members/session/session.ts";

interface Props {
  params: Promise<{ how: string; slug: string }>;
}

export async function generateMetadata({ params }: Props) {
  const { slug } = await params;
  await connection();
  return postMetadata(slug);
}

export default async function Page({ params }: Props) {
  const { how, slug } = await params;
  await connection();
  const asked: Asked[] = [];
  const page = await renderPost(slug, await readSessionCookies(), async (identity, of) => {
    const data = await readSql((local) => {
      const sql = recording(local, asked);
      // What the middleware asks before every page of a member: whether the session is due.
      sql.get(
        `SELECT "expirationDate" AS "expiresAtMs" FROM "Session" WHERE "id" = ?`,
        identity.sessionKey,
      );
      return queryPostPageData(sql, identity, of);
    });
    await askFar(
      process.env.BENCH_POSTGRES_URL ?? "",
      asked,
      how === "together" ? "together" : "each",
    );
    return data;
  });
  return (
    <>
      {page}
      <span hidden data-statements={asked.length} />
    </>
  );
}
