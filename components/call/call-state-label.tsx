// Names the state of a call.

import type { CallState } from "#lib/calls/review-queue.ts";

export const CALL_STATE_LABELS: Readonly<Record<CallState, string>> = {
  NEW: "New",
  REVIEWING: "In review",
  ANSWERED: "Answered",
  PUBLISHED: "Published",
  DECLINED: "Declined",
};

export function CallStateLabel({ state, by }: { state: CallState; by?: string | null }) {
  return (
    <span className={`call-state call-state-${state}`}>
      {CALL_STATE_LABELS[state]}
      {by && state !== "NEW" ? ` by ${by}` : ""}
    </span>
  );
}
