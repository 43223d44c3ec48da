// Formats and parses the `state` of a replay, which Fly's proxy passes on in fly-replay-src: how
// often the request was replayed and, if traced, its span.

interface ReplayState {
  readonly replays: number;
  /** The span that replayed the request, in W3C format. */
  readonly traceparent?: string;
}

const STATE = /(?:^|;)\s*state=(\d{1,2})(?:-(00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]))?\s*(?:;|$)/;

/** Returns the field to add to fly-replay, or "" if it equals the receiver's default. */
export function formatReplayState({ replays, traceparent }: ReplayState): string {
  if (traceparent) return `;state=${replays}-${traceparent}`;
  return replays > 1 ? `;state=${replays}` : "";
}

/**
 * Returns the state in a fly-replay-src header: one replay if it has none; null without the header.
 */
export function parseReplayState(source: string | string[] | undefined): ReplayState | null {
  if (source === undefined) return null;
  const [, replays, traceparent] = STATE.exec(String(source)) ?? [];
  return { replays: replays === undefined ? 1 : Number(replays), traceparent };
}
