// Renders the posts of the site as a table. On a phone, each post is a block.

import { formatIsoDate } from "#lib/core/format.ts";
import type { AdminPost, PostState } from "#lib/posts/admin-posts.ts";

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

/** `hrefOf` returns the admin page of a post; `reads` are total reads by slug. */
export function PostTable({
  posts,
  reads,
  hrefOf,
}: {
  posts: readonly AdminPost[];
  reads: ReadonlyMap<string, number>;
  hrefOf: (slug: string) => string;
}) {
  return (
    <table className="table table-blocks">
      <thead>
        <tr>
          <th scope="col">Post</th>
          <th scope="col">State</th>
          <th scope="col">Date (UTC)</th>
          <th scope="col">Last change</th>
          <th scope="col" className="number">
            Reads
          </th>
        </tr>
      </thead>
      <tbody>
        {posts.map((post) => (
          <tr key={post.slug}>
            <th scope="row">
              <a href={hrefOf(post.slug)}>{post.title}</a>
              <small>{post.path}</small>
            </th>
            <td data-label="State">
              <PostStateLabel post={post} />
            </td>
            <td data-label="Date">
              <Day ms={post.publishedMs} />
            </td>
            <td data-label="Last change">
              <Day ms={post.changedMs} />
            </td>
            <td data-label="Reads" className="number">
              {(reads.get(post.slug) ?? 0).toLocaleString("en-US")}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
