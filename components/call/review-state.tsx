// The state of a call in a word.

import type { CallState } from "#lib/calls/review-queue.ts";

export const STATE_WORDS: Readonly<Record<CallState, string>> = {
  NEW: "New",
  REVIEWING: "Being reviewed",
  ANSWERED: "Answered",
  PUBLISHED: "Published",
  DECLINED: "Declined",
};

export function CallStateWord({ state, by }: { state: CallState; by?: string | null }) {
  return (
    <span className={`call-state call-state-${state}`}>
      {STATE_WORDS[state]}
      {by && state !== "NEW" ? ` by ${by}` : ""}
    </span>
  );
}
