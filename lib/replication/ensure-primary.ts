// Guards every write of a request, and replays the request to the primary from a replica (fly-replay).

import { incrementCounter } from "#lib/core/metrics.ts";
import { AppError } from "#lib/core/errors.ts";
import { log } from "#lib/core/log.ts";
import { type RequestContext, currentRequestContext } from "#lib/core/request-context.ts";
import { currentInstance, isReplicated } from "#lib/core/instance.ts";
import { isPrimaryReachable } from "./position.ts";
import {
  type Role,
  cachedFor,
  findPrimaryInstance,
  currentRole,
  waitForKnownRole,
} from "./role.ts";

/** A planned handover takes less: writes wait for it instead of failing. */
const ROLE_WAIT_MS = 2_000;
const RETRY_AFTER_SECONDS = 5;
/** On arrival, and once more if the primary has just changed. */
const MAX_REPLAYS = 2;

export interface InstanceInfo {
  readonly currentInstance: string;
  /** null if no primary is known: then nothing may be written. */
  readonly primaryInstance: string | null;
  readonly currentIsPrimary: boolean;
}

/** Returns who is primary now. Don't store it: it can change at any moment. */
export function getInstanceInfo(): InstanceInfo {
  const self = currentInstance();
  const primary = isReplicated() ? findPrimaryInstance() : self;
  return { currentInstance: self, primaryInstance: primary, currentIsPrimary: primary === self };
}

/**
 * Returns the response on which Fly's proxy sends the request to `instance` (https://fly.io/docs/networking/dynamic-request-routing/).
 * Its status is 409, so that a client without the proxy does not take it for success. Throws AppError(unavailable) without a primary.
 */
export function getFlyReplayResponse(instance: string | null = findPrimaryInstance()): Response {
  if (instance === null) throw writesPausedError();
  return new Response("Fly Replay", {
    status: 409,
    headers: {
      "fly-replay": `instance=${instance}`,
      "cache-control": "no-store, no-transform",
      "content-type": "text/plain; charset=utf-8",
    },
  });
}

/**
 * Returns on the primary. On a replica, throws a replay to the primary that is already on the wire, so that no `catch` can
 * swallow it. Throws AppError(unavailable) if no primary is known within `settleMs`. Call it before any read for the write.
 */
export async function ensurePrimary({
  settleMs = ROLE_WAIT_MS,
}: { settleMs?: number } = {}): Promise<void> {
  if (!isReplicated() || currentRole() === "primary") return;
  const role = await waitForKnownRole(settleMs, reachableRole);
  if (role === "primary") return;
  if (role === "unknown") {
    incrementCounter("writes_refused", { reason: "no_primary" });
    throw writesPausedError();
  }
  replayTo(findPrimaryInstance(), "write");
}

/** Counts a replica without heartbeats as unknown: a write replayed to a dead primary would lose what was typed. */
const reachableRole = cachedFor((): Role => {
  const role = currentRole();
  return role === "replica" && !isPrimaryReachable() ? "unknown" : role;
});

/**
 * Throws a replay of the current request to `instance`, which is already on the wire. Throws AppError(unavailable) if
 * `instance` is null, or after two replays.
 */
export function replayTo(
  instance: string | null,
  reason: "write" | "read_your_writes" | "instance",
): never {
  const context = currentRequestContext();
  if (instance === null) throw writesPausedError();
  const replays = replayCount(context);
  if (replays >= MAX_REPLAYS) {
    incrementCounter("writes_refused", { reason: "replayed_too_often" });
    log("warn", "replay.too_often", { to: instance });
    throw writesPausedError();
  }
  incrementCounter("replays", { reason });
  log("debug", "replay", { to: instance, reason });
  const response = getFlyReplayResponse(instance);
  // Fly passes `state` on in fly-replay-src. The first replay needs none.
  if (replays > 0) response.headers.set("fly-replay", `instance=${instance};state=${replays + 1}`);
  if (context) sendReplay(context, response);
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- a replay is a response
  throw response;
}

/** True for what replayTo throws. */
export function isReplay(thrown: unknown): thrown is Response {
  return thrown instanceof Response && thrown.headers.has("fly-replay");
}

/** Returns how often this request was replayed. A client that forges the header is only refused earlier. */
export function replayCount(context: RequestContext | undefined): number {
  const source = context?.request.headers["fly-replay-src"];
  if (source === undefined) return 0;
  const state = /(?:^|;)\s*state=(\d{1,2})\s*(?:;|$)/.exec(String(source))?.[1];
  return state === undefined ? 1 : Number(state);
}

function writesPausedError(): AppError {
  return new AppError(
    "unavailable",
    "Writes are paused for a few seconds. Nothing was lost: try again in a moment.",
    { retryAfterSeconds: RETRY_AFTER_SECONDS },
  );
}

/** Puts the replay on the wire, so that whatever Next makes of the thrown one is ignored. */
function sendReplay(context: RequestContext, { status, headers }: Response): void {
  // With a head sent, a write came too late: a fault that the thrown replay shows.
  if (context.response.headersSent) return;
  delete context.committedTxid;
  context.sendFinal(status, Object.fromEntries(headers), "Fly Replay");
  context.isReplayedElsewhere = true;
}
