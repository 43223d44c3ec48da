// Before the server takes requests: begins to follow LiteFS, and keeps Next from reporting a replay as a fault.

import { currentRequest } from "../base/request-context.ts";
import { isReplicated } from "../litefs/instance.ts";
import { settledRole, startLitefs } from "../litefs/role.ts";
import { startStandby } from "../litefs/standby.ts";
import { isReplay } from "./ensure-primary.ts";

/** LiteFS starts this process when it knows a primary, so that the first answer takes milliseconds. */
const FIRST_ANSWER_MS = 2_000;

const shared = globalThis as { __lecternSilence?: true };

/** Resolves when the role is known, or after two seconds. Does nothing without replication. */
export async function startReplication(): Promise<void> {
  if (!isReplicated()) return;
  silenceReplays();
  startLitefs();
  startStandby();
  await settledRole(FIRST_ANSWER_MS);
}

/** Next writes on stderr whatever an action, a page or a handler throws. A replay is no fault, and was logged by us where it was thrown. */
function silenceReplays(): void {
  if (shared.__lecternSilence) return;
  shared.__lecternSilence = true;
  const report = console.error;
  console.error = (...args: unknown[]) => {
    // Next wraps what was thrown in an error of its own: known by its request then.
    if (!args.some(isReplay) && !currentRequest()?.hasLeft) report(...args);
  };
}
