// The guard in front of every write that a request asks for, and the replay that sends the request to where it may write.

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

/** A planned hand-over takes less than this: such writes wait instead of being refused. */
const ROLE_WAIT_MS = 2_000;
const RETRY_AFTER_SECONDS = 5;
/** A request is replayed when it arrives, and once more if the primary has just changed. Then it is refused. */
const MAX_REPLAYS = 2;

export interface InstanceInfo {
  readonly currentInstance: string;
  /** null where no primary is known: then nobody may write. */
  readonly primaryInstance: string | null;
  readonly currentIsPrimary: boolean;
}

/** What this instance is to the cluster, as of now: it can change at any moment, so don't keep it. */
export function getInstanceInfo(): InstanceInfo {
  const own = currentInstance();
  const primary = isReplicated() ? findPrimaryInstance() : own;
  return { currentInstance: own, primaryInstance: primary, currentIsPrimary: primary === own };
}

/**
 * The response that has Fly's proxy send the same request to `instance`, the primary unless given: 409, body "Fly Replay",
 * header `fly-replay: instance=…` (https://fly.io/docs/networking/dynamic-request-routing/). 409 and not 200: whoever reaches
 * this instance without the proxy must not take it for success.
 * Throws AppError(unavailable) when no primary is known.
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
 * Returns on the instance that may write. On a replica the request leaves for the primary: the replay is on the wire when this
 * throws it, so that no `catch` in between can swallow it. Where no primary is known for `settleMs` (two seconds) it throws AppError(unavailable).
 * Call it first in every action and handler that writes, before anything is read for the write.
 */
export async function ensurePrimary({
  settleMs = ROLE_WAIT_MS,
}: { settleMs?: number } = {}): Promise<void> {
  if (!isReplicated() || currentRole() === "primary") return;
  const settled = await waitForKnownRole(settleMs, reachableRole);
  if (settled === "primary") return;
  if (settled === "unknown") {
    incrementCounter("writes_refused", { reason: "no_primary" });
    throw writesPausedError();
  }
  replayTo(findPrimaryInstance(), "write");
}

/** "replica" only where the primary was heard of; a write that is sent to a dead one comes back as the proxy's error, without what was typed. Looked at once for all that wait. */
const reachableRole = cachedFor((): Role => {
  const now = currentRole();
  return now === "replica" && !isPrimaryReachable() ? "unknown" : now;
});

/**
 * Sends the current request to `instance`: throws the replay, which is on the wire by then. Throws AppError(unavailable) when
 * `instance` is null, or when this request was replayed twice already.
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
  // Fly hands `state` on in fly-replay-src. The first replay needs none.
  if (replays > 0) response.headers.set("fly-replay", `instance=${instance};state=${replays + 1}`);
  if (context) sendReplay(context, response);
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- what a replay is, is a response
  throw response;
}

/** True for what replayTo throws. */
export function isReplay(thrown: unknown): thrown is Response {
  return thrown instanceof Response && thrown.headers.has("fly-replay");
}

/** How often this request was replayed so far. A client can write that header too: it is then refused earlier, which harms nobody else. */
export function replayCount(context: RequestContext | undefined): number {
  const source = context?.request.headers["fly-replay-src"];
  if (source === undefined) return 0;
  const state = /(?:^|;)\s*state=(\d{1,2})\s*(?:;|$)/.exec(String(source))?.[1];
  return state === undefined ? 1 : Number(state);
}

function writesPausedError(): AppError {
  return new AppError(
    "unavailable",
    "Writes are paused for some seconds. Nothing was lost: try again in a moment.",
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
