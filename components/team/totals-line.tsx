// The totals of the site in one line.

import { formatCount } from "#lib/core/format.ts";

/** "498.23k reads · 12 readers · 9 posts". */
export function TotalsLine({
  reads,
  readers,
  posts,
}: {
  reads: number;
  readers: number;
  posts: number;
}) {
  const part = (count: number, one: string) =>
    `${formatCount(count)} ${count === 1 ? one : `${one}s`}`;
  return (
    <p className="totals figures">
      {[part(reads, "read"), part(readers, "reader"), part(posts, "post")].join(" · ")}
    </p>
  );
}
