// Decides when a failed version or post is retried: exponential backoff with a maximum.

import { MINUTE_MS, SECOND_MS, nowMs } from "#lib/core/clock.ts";
import { isAppError } from "#lib/core/errors.ts";

const MIN_VERSION_RETRY_DELAY_MS = 2 * SECOND_MS;
const MAX_VERSION_RETRY_DELAY_MS = 5 * MINUTE_MS;
/** Failed posts are also retried: on a busy machine they may have missed the compile deadline. */
const MIN_POST_RETRY_DELAY_MS = 5 * MINUTE_MS;
const MAX_POST_RETRY_DELAY_MS = 60 * MINUTE_MS;

/** Why a version cannot be shown. `version` is null if the published version is unknown. */
export interface VersionProblem {
  readonly version: string | null;
  readonly error: unknown;
  readonly sinceMs: number;
  readonly retryAtMs: number;
  readonly attempts: number;
}

/** Returns the problem after another failure. Waits at least as long as the error's Retry-After. */
export function nextVersionProblem(
  previous: VersionProblem | null,
  version: string | null,
  error: unknown,
): VersionProblem {
  const isSame = previous?.version === version;
  const attempts = previous && isSame ? previous.attempts + 1 : 0;
  const retryAfterMs = isAppError(error) ? (error.retryAfterSeconds ?? 0) * SECOND_MS : 0;
  const delayMs = Math.min(
    MAX_VERSION_RETRY_DELAY_MS,
    Math.max(MIN_VERSION_RETRY_DELAY_MS * 2 ** attempts, retryAfterMs),
  );
  return {
    version,
    error,
    sinceMs: previous && isSame ? previous.sinceMs : nowMs(),
    retryAtMs: nowMs() + delayMs,
    attempts,
  };
}

/** Returns the delay before failed posts are compiled again; `attempt` counts from 1. */
export function postRetryDelayMs(attempt: number): number {
  return Math.min(MAX_POST_RETRY_DELAY_MS, MIN_POST_RETRY_DELAY_MS * 2 ** (attempt - 1));
}
