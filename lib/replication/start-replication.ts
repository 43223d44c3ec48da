// Starts watching LiteFS before the first request, and keeps Next from logging replays as errors.

import { currentRequestContext } from "#lib/core/request-context.ts";
import { isReplicated } from "#lib/core/instance.ts";
import { singleton } from "#lib/core/singleton.ts";
import { waitForKnownRole, startWatchingLitefs } from "./role.ts";
import { startProbingPrimary } from "./primary-probe.ts";
import { startWatchingStandbys } from "./standbys.ts";
import { isReplay } from "./ensure-primary.ts";

/** The first event usually comes within milliseconds. */
const INITIAL_ROLE_WAIT_MS = 2_000;

const shared = singleton("replay-reports", () => ({ isSuppressed: false }));

/** Resolves when the role is known, or after two seconds. Does nothing without replication. */
export async function startReplication(): Promise<void> {
  if (!isReplicated()) return;
  suppressReplayReports();
  startWatchingLitefs();
  startWatchingStandbys();
  startProbingPrimary();
  await waitForKnownRole(INITIAL_ROLE_WAIT_MS);
}

/** Keeps replays out of Next's error log. They are not errors, and replayTo() already logs them. */
function suppressReplayReports(): void {
  if (shared.isSuppressed) return;
  shared.isSuppressed = true;
  const report = console.error;
  console.error = (...args: unknown[]) => {
    // If Next wrapped the replay in an error, the request context still identifies it.
    if (!args.some(isReplay) && !currentRequestContext()?.isReplayedElsewhere) report(...args);
  };
}
