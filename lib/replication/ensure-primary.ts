// Ensures that writes run on the primary: on a replica, the request is replayed to it (fly-replay).

import { incrementCounter } from "#lib/core/metrics.ts";
import { AppError } from "#lib/core/errors.ts";
import { log } from "#lib/core/log.ts";
import { type RequestContext, currentRequestContext } from "#lib/core/request-context.ts";
import { currentInstance, isReplicated } from "#lib/core/instance.ts";
import { isDiskFull } from "./disk-space.ts";
import { findTelemetry } from "#lib/core/telemetry.ts";
import { isPrimaryReachable } from "./position.ts";
import { findRespondingPrimary } from "./primary-probe.ts";
import { formatReplayState, parseReplayState } from "./replay-state.ts";
import {
  type Role,
  cachedFor,
  findPrimaryInstance,
  currentRole,
  waitForKnownRole,
} from "./role.ts";

/** A planned handover takes less than this, so writes wait for it instead of failing. */
const ROLE_WAIT_MS = 2_000;
const RETRY_AFTER_SECONDS = 5;
/** One on arrival, and one more if the primary has just changed. */
const MAX_REPLAYS = 2;

export interface InstanceInfo {
  readonly currentInstance: string;
  /** null if no primary is known; writes are then refused. */
  readonly primaryInstance: string | null;
  readonly currentIsPrimary: boolean;
}

/** Returns the current primary. Don't cache the result: it can change at any moment. */
export function getInstanceInfo(): InstanceInfo {
  const self = currentInstance();
  const primary = isReplicated() ? findPrimaryInstance() : self;
  return { currentInstance: self, primaryInstance: primary, currentIsPrimary: primary === self };
}

/**
 * Returns the response that makes Fly's proxy replay the request to `instance`
 * (https://fly.io/docs/networking/dynamic-request-routing/). The status is 409, so that a client
 * without the proxy does not take it for success. Throws AppError(unavailable) if `instance` is
 * null.
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
 * Returns on the primary. On a replica, sends a replay to the primary and throws it; a `catch`
 * can't undo it, because it is already on the wire. Throws AppError(unavailable) if no primary is
 * known within `settleMs`. Call it before the reads that the write depends on.
 */
export async function ensurePrimary({
  settleMs = ROLE_WAIT_MS,
}: { settleMs?: number } = {}): Promise<void> {
  if (!isReplicated() || cachedRole() === "primary") return;
  const role = await waitForKnownRole(settleMs, reachableRole);
  if (role === "primary") return;
  if (role === "unknown") {
    incrementCounter("writes_refused", { reason: "no_primary" });
    throw writesPausedError();
  }
  replayTo(findPrimaryInstance() ?? findRespondingPrimary(), "write");
}

/** Each read of the role opens a file on LiteFS's mount, for every beacon. */
const cachedRole = cachedFor(currentRole);

/**
 * Returns "unknown" on a replica without heartbeats, because a write replayed to a dead primary
 * would lose the user's input. With a full disk, a replica gets none although the primary is
 * alive.
 */
const reachableRole = cachedFor((): Role => {
  const role = currentRole();
  if (role === "primary" || (role === "replica" && isPrimaryReachable())) return role;
  return isDiskFull() && findRespondingPrimary() !== null ? "replica" : "unknown";
});

/**
 * Sends a replay of the current request to `instance`, then throws it. Throws AppError(unavailable)
 * if `instance` is null, or after MAX_REPLAYS replays.
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
  const traceparent = findTelemetry()?.currentTraceparent() ?? undefined;
  const state = formatReplayState({ replays: replays + 1, traceparent });
  if (state) response.headers.set("fly-replay", `instance=${instance}${state}`);
  if (context) sendReplay(context, response);
  // oxlint-disable-next-line typescript/only-throw-error -- a replay is a response
  throw response;
}

/** Returns true for a replay that replayTo() threw. */
export function isReplay(thrown: unknown): thrown is Response {
  return thrown instanceof Response && thrown.headers.has("fly-replay");
}

/**
 * Returns how often this request has been replayed. Forging the header only gets a client refused
 * earlier.
 */
export function replayCount(context: RequestContext | undefined): number {
  return parseReplayState(context?.request.headers["fly-replay-src"])?.replays ?? 0;
}

function writesPausedError(): AppError {
  return new AppError(
    "unavailable",
    "Writes are paused for a few seconds. Nothing was lost; try again in a moment.",
    { retryAfterSeconds: RETRY_AFTER_SECONDS },
  );
}

/** Puts the replay on the wire, so that Next's handling of the thrown response is ignored. */
function sendReplay(context: RequestContext, { status, headers }: Response): void {
  // A write after the head was sent is a bug, which the thrown replay exposes.
  if (context.response.headersSent) return;
  delete context.committedTxid;
  context.sendFinal(status, Object.fromEntries(headers), "Fly Replay");
  context.isReplayedElsewhere = true;
}
