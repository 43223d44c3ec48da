// What stands where no page is: the same for every address, with three posts to go on with.

import { connection } from "next/server";
import { loadRecommendations } from "./blog/[slug]/load-post.tsx";
import { Recommendations } from "#components/post/recommendations.tsx";
import { readIdentity } from "#lib/session/session.ts";

export const metadata = { title: "Not found", robots: { index: false } };

export default async function NotFound() {
  await connection();
  // This page must stand even when nothing behind it does.
  const cards = await loadRecommendations(await readIdentity()).catch(() => []);
  return (
    <>
      <div className="wrap">
        <header className="page-head">
          <h1>There is no such page.</h1>
          <p className="lead">
            It may have been renamed, or never written. <a href="/blog">Search the posts</a>, or begin with one of these.
          </p>
        </header>
      </div>
      <Recommendations title="While you are here" text="Three posts that others read to the end." cards={cards} />
    </>
  );
}
