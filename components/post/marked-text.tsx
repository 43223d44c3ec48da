// Text in which what was searched for is marked.

export interface TextSegment {
  readonly text: string;
  readonly match: boolean;
}

/** The segments one after the other, matches in mark elements. */
export function MarkedText({ segments }: { segments: readonly TextSegment[] }) {
  return segments.map(({ text, match }, place) => (match ? <mark key={place}>{text}</mark> : text));
}
