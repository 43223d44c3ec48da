// Steps that adjust the head of a response just before it leaves.

import type { RequestContext } from "#lib/core/request-context.ts";
import type { PipelineContext } from "./pipeline-context.ts";
import { createTxidCookie } from "#lib/replication/read-your-writes.ts";

/** Names the transaction that this request committed, so that the next one reads it on any instance. */
export function addTxidCookie({ committedTxid, response }: RequestContext): void {
  if (committedTxid !== undefined)
    response.appendHeader("set-cookie", createTxidCookie(committedTxid));
}

/** Turns 200 into 503 with Retry-After if an action could not write: Next answers 200 to every action. */
export function sendUnavailable(
  { response, retryAfterSeconds }: RequestContext,
  status: number,
): number {
  if (retryAfterSeconds === undefined || status !== 200) return status;
  response.setHeader("retry-after", String(retryAfterSeconds));
  return 503;
}

/** Keeps a response with a cookie out of shared caches, which would hand the session to another client. */
export function keepCookiesPrivate({ response }: RequestContext): void {
  if (
    response.hasHeader("set-cookie") &&
    /\b(public|s-maxage)\b/.test(String(response.getHeader("cache-control")))
  )
    response.setHeader("cache-control", "private, no-store");
}

/**
 * Removes the encoding and the year in caches that next.config.mjs sets by path, if the file is missing.
 * During a deploy, one version is asked for the files of another.
 */
export function keepMissingFilesUncached(
  { requestedUrl, response }: PipelineContext,
  status: number,
): void {
  if (status < 400 || !/^\/(_next\/static|_img)\//.test(requestedUrl)) return;
  response.removeHeader("content-encoding");
  response.setHeader("cache-control", "no-store");
}
