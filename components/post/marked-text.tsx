// Renders text with search matches marked.

import type { TextSegment } from "#lib/posts/search/search-query.ts";

/** The segments in order, matches in mark elements. */
export function MarkedText({ segments }: { segments: readonly TextSegment[] }) {
  return segments.map(({ text, isMatch }, index) =>
    isMatch ? <mark key={index}>{text}</mark> : text,
  );
}
