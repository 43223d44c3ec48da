// What is said of every request: one line in the log, its share in the metrics, and Server-Timing on pages.

import { randomUUID } from "node:crypto";
import { env } from "#lib/core/env.ts";
import { log } from "#lib/core/log.ts";
import { incrementCounter, observeHistogram } from "#lib/core/metrics.ts";
import type { RequestContext } from "#lib/core/request-context.ts";
import { currentInstance } from "#lib/core/instance.ts";
import { type Role, litefsState } from "#lib/replication/role.ts";
import { labelRoute } from "./route-labels.ts";

const REQUEST_ID = /^[\w-]{1,64}$/;
const KNOWN_METHOD = /^(GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH)$/;

/** Fly's id of the request where its proxy is in front (https://fly.io/docs/networking/request-headers/); a client can write that header too. */
function requestId(header: string | string[] | undefined): string {
  return env.TRUST_PROXY === "fly" && typeof header === "string" && REQUEST_ID.test(header)
    ? header
    : randomUUID();
}

/** The instance that handed the request on, as `fly-replay-src` names it; undefined where none did. */
function replaySource(header: string | string[] | undefined): string | undefined {
  if (env.TRUST_PROXY !== "fly" || typeof header !== "string") return undefined;
  return /(?:^|;)\s*instance=([\w.-]{1,64})\s*(?:;|$)/.exec(header)?.[1];
}

/** The role as LiteFS said it last: what a line of the log needs is not worth a look at the mount. */
function lastReportedRole(): Role {
  if (!env.REPLICATION) return "primary";
  const { lastPrimaryEvent } = litefsState();
  if (!lastPrimaryEvent) return "unknown";
  if (lastPrimaryEvent.isPrimary) return "primary";
  return lastPrimaryEvent.hostname === "" ? "unknown" : "replica";
}

const isPageType = (type: unknown) =>
  typeof type === "string" && /^text\/(html|x-component)/.test(type);

/** Milliseconds with one place. */
const roundMs = (ms: number) => Math.round(ms * 10) / 10;

/** Begins to watch the request of `context`; called once for each, before anything changes it. */
export function instrumentRequest(context: RequestContext): void {
  const startedMs = performance.now();
  const { request, response } = context;
  const { kind, path } = labelRoute(request.url ?? "/");
  const method = KNOWN_METHOD.test(request.method ?? "") ? request.method! : "other";
  // Files have no line, no id and no timing: they are most requests and say nothing.
  if (kind === "static") {
    response.once("close", () =>
      incrementCounter("requests", { route: kind, status: statusClass(response.statusCode) }),
    );
    return;
  }
  context.requestId = requestId(request.headers["fly-request-id"]);
  const from = replaySource(request.headers["fly-replay-src"]);
  if (from) incrementCounter("replays_in");
  context.beforeHeadHooks?.push(() => {
    // Not of what was asked to be done: the answer about an address that is known is to differ in nothing from that about another.
    // Next hands on the headers of the page where an action leads, which it fetched from itself: those go, too.
    if (method !== "GET" && method !== "HEAD") return void response.removeHeader("server-timing");
    if (!isPageType(response.getHeader("content-type")) && response.statusCode !== 304) return;
    response.setHeader("server-timing", formatServerTiming(context, performance.now() - startedMs));
  });
  response.once("close", () => {
    const ms = performance.now() - startedMs;
    const status = response.statusCode;
    incrementCounter("requests", { route: kind, status: statusClass(status) });
    // A stream lasts as long as somebody looks.
    if (kind !== "stream") observeHistogram("request_seconds", ms / 1000, { route: kind });
    // Monitoring asks every few seconds: what it hears is in the metrics.
    if (!(env.LOG_REQUESTS ?? env.REPLICATION) || (kind === "health" && status < 400)) return;
    log("info", "request", {
      id: context.requestId,
      method,
      path,
      status,
      ms: roundMs(ms),
      role: lastReportedRole(),
      ...(from && { replayedFrom: from }),
      ...(context.committedTxid !== undefined && { txid: context.committedTxid }),
      ...(!response.writableFinished && { aborted: true }),
    });
  });
}

const statusClass = (status: number) => `${Math.floor(status / 100)}xx`;

/**
 * The value of Server-Timing: what the page took until its first byte, what of it the database took, the region.
 * Names of instances are for admins and for a cluster that shows itself.
 */
function formatServerTiming(
  { serverTimings, databaseReadMs }: RequestContext,
  totalMs: number,
): string {
  const parts = [`total;dur=${roundMs(totalMs)}`];
  if (databaseReadMs !== undefined) parts.push(`db;dur=${roundMs(databaseReadMs)}`);
  if (env.FLY_REGION) parts.push(`region;desc="${env.FLY_REGION.replace(/[^\w-]/g, "")}"`);
  const instance = env.CLUSTER_STRIP ? [`instance;desc="${currentInstance()}"`] : [];
  return [...parts, ...new Set([...instance, ...(serverTimings ?? [])])].join(", ");
}
