// Writes the access log and the request metrics, and adds Server-Timing to pages.

import { randomUUID } from "node:crypto";
import { env } from "#lib/core/env.ts";
import { log } from "#lib/core/log.ts";
import { incrementCounter, observeHistogram } from "#lib/core/metrics.ts";
import { isRenderRequest } from "#lib/core/render-request.ts";
import type { RequestContext } from "#lib/core/request-context.ts";
import type { PipelineContext } from "./pipeline-context.ts";
import { currentInstance } from "#lib/core/instance.ts";
import { type Role, litefsState } from "#lib/replication/role.ts";

const REQUEST_ID = /^[\w-]{1,64}$/;
const KNOWN_METHODS = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]);

/**
 * Returns Fly's request ID behind its proxy (https://fly.io/docs/networking/request-headers/),
 * otherwise a random one.
 */
function createRequestId(header: string | string[] | undefined): string {
  return env.TRUST_PROXY === "fly" && typeof header === "string" && REQUEST_ID.test(header)
    ? header
    : randomUUID();
}

/** Returns the instance that replayed the request to this one, from `fly-replay-src`. */
function replaySource(header: string | string[] | undefined): string | undefined {
  if (env.TRUST_PROXY !== "fly" || typeof header !== "string") return undefined;
  return /(?:^|;)\s*instance=([\w.-]{1,64})\s*(?:;|$)/.exec(header)?.[1];
}

/**
 * Returns the role in LiteFS's last event, which is cheaper than reading the mount for every log
 * line.
 */
function lastReportedRole(): Role {
  if (!env.REPLICATION) return "primary";
  const { lastPrimaryEvent } = litefsState();
  if (!lastPrimaryEvent) return "unknown";
  if (lastPrimaryEvent.isPrimary) return "primary";
  return lastPrimaryEvent.hostname === "" ? "unknown" : "replica";
}

const isPageType = (type: unknown) =>
  typeof type === "string" && /^text\/(html|x-component)/.test(type);

/** Rounds milliseconds to one decimal. */
const roundMs = (ms: number) => Math.round(ms * 10) / 10;

/** Pipeline step. Counts the request and, when its response ends, writes a log line. */
export function recordRequest(context: PipelineContext): void {
  const { request, requestedRoute, response, startedMs } = context;
  if (isRenderRequest(request.headers)) return; // part of another request
  // Most requests are for static files: they are only counted.
  if (requestedRoute.kind === "static") {
    response.once("close", () =>
      incrementCounter("requests", { route: "static", status: statusClass(response.sentStatus) }),
    );
    return;
  }
  const method = KNOWN_METHODS.has(context.requestedMethod) ? context.requestedMethod : "other";
  context.requestId = createRequestId(request.headers["fly-request-id"]);
  const replayedFrom = replaySource(request.headers["fly-replay-src"]);
  if (replayedFrom) incrementCounter("replays_in");
  response.once("close", () => {
    const ms = performance.now() - startedMs;
    const status = response.sentStatus;
    const { kind, path } = context.route ?? requestedRoute;
    incrementCounter("requests", { route: kind, status: statusClass(status) });
    // A stream's duration means nothing: it lasts until the client leaves.
    if (kind !== "stream") observeHistogram("request_seconds", ms / 1000, { route: kind });
    // Health checks run every few seconds; the metrics count them.
    if (!(env.LOG_REQUESTS ?? env.REPLICATION) || (kind === "health" && status < 400)) return;
    log("info", "request", {
      id: context.requestId,
      method,
      path,
      status,
      ms: roundMs(ms),
      role: lastReportedRole(),
      ...(replayedFrom && { replayedFrom }),
      ...(context.committedTxid !== undefined && { txid: context.committedTxid }),
      ...(!response.writableFinished && { aborted: true }),
    });
  });
}

/**
 * Head step. Adds Server-Timing to pages requested with GET or HEAD. An action's timing would
 * reveal whether an email address has an account, so the header that Next copies from the action's
 * target page is removed.
 */
export function addServerTiming(context: PipelineContext, status: number): void {
  const { requestId, requestedMethod, response, startedMs } = context;
  if (requestId === undefined) return; // a static file
  if (requestedMethod !== "GET" && requestedMethod !== "HEAD")
    return response.removeHeader("server-timing");
  if (!isPageType(response.getHeader("content-type")) && status !== 304) return;
  response.setHeader("server-timing", formatServerTiming(context, performance.now() - startedMs));
}

const statusClass = (status: number) => `${Math.floor(status / 100)}xx`;

/**
 * Returns the value of Server-Timing: time to first byte, database time and region. Instance names
 * appear only for admins or with INSTANCE_BANNER.
 */
function formatServerTiming(
  { serverTimings, databaseReadMs }: RequestContext,
  totalMs: number,
): string {
  const parts = [`total;dur=${roundMs(totalMs)}`];
  if (databaseReadMs !== undefined) parts.push(`db;dur=${roundMs(databaseReadMs)}`);
  if (env.FLY_REGION) parts.push(`region;desc="${env.FLY_REGION.replace(/[^\w-]/g, "")}"`);
  const instance = env.INSTANCE_BANNER ? [`instance;desc="${currentInstance()}"`] : [];
  return [...parts, ...new Set([...instance, ...serverTimings])].join(", ");
}
