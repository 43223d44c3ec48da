// Before the server takes requests: begins to follow LiteFS, and keeps Next from reporting a replay as a fault.

import { currentRequestContext } from "#lib/core/request-context.ts";
import { isReplicated } from "#lib/core/instance.ts";
import { singleton } from "#lib/core/singleton.ts";
import { waitForKnownRole, startWatchingLitefs } from "./role.ts";
import { startWatchingStandbys } from "./standbys.ts";
import { isReplay } from "./ensure-primary.ts";

/** LiteFS starts this process when it knows a primary, so that the first answer takes milliseconds. */
const INITIAL_ROLE_WAIT_MS = 2_000;

const shared = singleton("replay-reports", () => ({ isSuppressed: false }));

/** Resolves when the role is known, or after two seconds. Does nothing without replication. */
export async function startReplication(): Promise<void> {
  if (!isReplicated()) return;
  suppressReplayReports();
  startWatchingLitefs();
  startWatchingStandbys();
  await waitForKnownRole(INITIAL_ROLE_WAIT_MS);
}

/** Next writes on stderr whatever an action, a page or a handler throws. A replay is no fault, and was logged by us where it was thrown. */
function suppressReplayReports(): void {
  if (shared.isSuppressed) return;
  shared.isSuppressed = true;
  const report = console.error;
  console.error = (...args: unknown[]) => {
    // Next wraps what was thrown in an error of its own: known by its request then.
    if (!args.some(isReplay) && !currentRequestContext()?.isReplayedElsewhere) report(...args);
  };
}
