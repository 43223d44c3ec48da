// Adjusts response heads just before they are sent.

import type { RequestContext } from "#lib/core/request-context.ts";
import type { PipelineContext } from "./pipeline-context.ts";
import { createTxidCookie } from "#lib/replication/read-your-writes.ts";

/** Head step. Sets the read-your-writes cookie to the transaction that this request committed. */
export function addTxidCookie({ committedTxid, response }: RequestContext): void {
  if (committedTxid !== undefined)
    response.appendHeader("set-cookie", createTxidCookie(committedTxid));
}

/**
 * Head step. Turns 200 into 503 with Retry-After if an action could not write, because Next
 * responds to every action with 200.
 */
export function sendUnavailable(
  { response, retryAfterSeconds }: RequestContext,
  status: number,
): number {
  if (retryAfterSeconds === undefined || status !== 200) return status;
  response.setHeader("retry-after", String(retryAfterSeconds));
  return 503;
}

/**
 * Head step. Keeps a response with a cookie out of shared caches, which would give the session to
 * another client.
 */
export function keepCookiesPrivate({ response }: RequestContext): void {
  if (
    response.hasHeader("set-cookie") &&
    /\b(public|s-maxage)\b/.test(String(response.getHeader("cache-control")))
  )
    response.setHeader("cache-control", "private, no-store");
}

/**
 * Head step. For a missing file, removes the encoding and the one-year max-age that next.config.mjs
 * sets by path. During a deploy, clients request one version's files from another version.
 */
export function keepMissingFilesUncached(
  { requestedUrl, response }: PipelineContext,
  status: number,
): void {
  if (status < 400 || !/^\/_next\/static\//.test(requestedUrl)) return;
  response.removeHeader("content-encoding");
  response.setHeader("cache-control", "no-store");
}

/**
 * Head step. Adds Vary to pages: they depend on the cookies and on Accept, which selects Markdown. Next
 * drops the Vary of next.config.mjs from static pages.
 */
export function varyByRequest({ response }: RequestContext): void {
  if (!/^text\/(html|markdown)/.test(String(response.getHeader("content-type")))) return;
  const names = [...String(response.getHeader("vary") ?? "").split(","), "Cookie", "Accept"]
    .map((name) => name.trim())
    .filter(Boolean);
  const byKey = new Map(names.map((name) => [name.toLowerCase(), name]));
  response.setHeader("vary", [...byKey.values()].join(", "));
}
