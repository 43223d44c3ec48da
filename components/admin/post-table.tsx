// Renders the posts of the site as a table.

import { DataTable } from "./data-table.tsx";
import { formatIsoDate } from "#lib/core/format.ts";
import type { AdminPost, PostState } from "#lib/posts/admin-posts.ts";
import { type ViewCounts, formatCompletion } from "#lib/reading/views.ts";

export const POST_STATE_LABELS: Readonly<Record<PostState, string>> = {
  published: "Published",
  draft: "Draft",
  scheduled: "Scheduled",
  failing: "Errors",
};

/** Renders a day in UTC. */
function Day({ ms }: { ms: number | null }) {
  if (ms === null || Number.isNaN(ms)) return "–";
  const day = formatIsoDate(ms);
  return (
    <time className="figures admin-when" dateTime={day}>
      {day}
    </time>
  );
}

export function PostStateLabel({ post: { state, isUnlisted, problem } }: { post: AdminPost }) {
  return (
    <>
      <span className={`post-state post-state-${state}`}>{POST_STATE_LABELS[state]}</span>
      {isUnlisted && <small>Unlisted</small>}
      {problem !== null && <small className="form-error">{problem}</small>}
    </>
  );
}

/** `hrefOf` returns the admin page of a post; `reads` are total reads, `views` those of two years. */
export function PostTable({
  posts,
  reads,
  views,
  hrefOf,
}: {
  posts: readonly AdminPost[];
  reads: ReadonlyMap<string, number>;
  views: ReadonlyMap<string, ViewCounts>;
  hrefOf: (slug: string) => string;
}) {
  return (
    <DataTable
      label="Posts"
      rows={posts}
      keyOf={(post) => post.slug}
      columns={[
        {
          label: "Post",
          render: (post) => (
            <>
              <a href={hrefOf(post.slug)}>{post.title}</a>
              <small>{post.path}</small>
            </>
          ),
        },
        { label: "State", render: (post) => <PostStateLabel post={post} /> },
        { label: "Date (UTC)", render: (post) => <Day ms={post.publishedMs} /> },
        { label: "Last change", render: (post) => <Day ms={post.changedMs} /> },
        {
          label: "Reads",
          kind: "number",
          render: (post) => (reads.get(post.slug) ?? 0).toLocaleString("en-US"),
        },
        {
          label: "Completion",
          kind: "number",
          render: (post) => formatCompletion(views.get(post.slug)),
        },
      ]}
    />
  );
}
