// Renders a text with its search matches in mark elements.

import type { TextSegment } from "#lib/search/search-query.ts";

export function MarkedText({ segments }: { segments: readonly TextSegment[] }) {
  return segments.map(({ text, isMatch }, index) =>
    isMatch ? <mark key={index}>{text}</mark> : text,
  );
}
