// Shows the site's totals in one line.

import { pluralize } from "#lib/core/format.ts";

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
  return (
    <p className="totals figures">
      {[pluralize(reads, "read"), pluralize(readers, "reader"), pluralize(posts, "post")].join(
        " · ",
      )}
    </p>
  );
}
