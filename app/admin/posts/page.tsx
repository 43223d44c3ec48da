// Renders /admin/posts: all posts with their state, filtered by state and text.

import { adminMetadata, requireAdminPage } from "../require-admin-page.tsx";
import { AdminLayout } from "#components/admin/admin-layout.tsx";
import { POST_STATE_LABELS, PostTable } from "#components/admin/post-table.tsx";
import { SearchForm } from "#components/admin/search-form.tsx";
import { nowMs } from "#lib/core/clock.ts";
import { pluralize } from "#lib/core/format.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { read } from "#lib/db/database.ts";
import { type SearchParams, buildHref, lastValue } from "#lib/http/search-params.ts";
import { POST_STATES, filterAdminPosts } from "#lib/posts/admin-posts.ts";
import { newPostUrl } from "#lib/posts/new-post-url.ts";
import { VIEWS_KEPT_DAYS } from "#lib/reading/count-view.sql.ts";
import { getPostTotals } from "#lib/reading/read-totals.ts";
import { sumViewsByPost } from "#lib/reading/views.ts";
import { adminPostPath, loadAdminPosts } from "./load-admin-posts.ts";

const PATH = "/admin/posts";

export const generateMetadata = () => adminMetadata("Posts");

export default async function PostsPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const { admin, notFoundPage } = await requireAdminPage(PATH);
  if (!admin) return notFoundPage;
  const query = await searchParams;
  const q = lastValue(query.q).slice(0, 200);
  const state = POST_STATES.find((each) => each === lastValue(query.state)) ?? null;
  const all = await loadAdminPosts();
  const posts = filterAdminPosts(all, { state, text: q });
  const { reads, views } = await read(async (tx) => ({
    reads: await getPostTotals(tx),
    views: await sumViewsByPost(tx, { days: VIEWS_KEPT_DAYS, nowMs: nowMs() }),
  }));
  const newUrl = newPostUrl(siteConfig.newPostUrl, nowMs());
  return (
    <AdminLayout current="posts" title="Posts">
      <section className="desk-section">
        {newUrl && (
          <p>
            <a className="button button-main" href={newUrl}>
              New post
            </a>
          </p>
        )}
        <SearchForm action={PATH} label="Search by title or file" q={q}>
          {state && <input type="hidden" name="state" value={state} />}
        </SearchForm>
        <nav className="choices figures" aria-label="State">
          {[null, ...POST_STATES].map((each) => (
            <a
              key={each}
              href={buildHref(PATH, { state: each, q })}
              aria-current={each === state ? "true" : undefined}
            >
              {`${each === null ? "All" : POST_STATE_LABELS[each]}\u00a0${filterAdminPosts(all, { state: each, text: q }).length}`}
            </a>
          ))}
        </nav>
        {posts.length === 0 ? (
          <p role="status">{q ? `No posts match “${q}”.` : "No posts here."}</p>
        ) : (
          <PostTable posts={posts} reads={reads} views={views} hrefOf={adminPostPath} />
        )}
        <p className="muted figures">
          {pluralize(posts.length, "post")}. Completion is the share of started views that finished
          in the last two years. A view starts after five seconds.
        </p>
      </section>
    </AdminLayout>
  );
}
