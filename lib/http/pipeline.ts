// Runs the pipeline: the ordered steps that every HTTP request passes through before Next's handler,
// and those that its response passes through.

import { type RequestListener, createServer } from "node:http";
import { env } from "#lib/core/env.ts";
import { log } from "#lib/core/log.ts";
import { type RequestContext, requestContextStorage } from "#lib/core/request-context.ts";
import { addServerTiming, recordRequest } from "./access-log.ts";
import { aliasLegacyCookies } from "./alias-legacy-cookies.ts";
import { announceAbortedBody, closeAfterAbortedBody } from "./close-after-aborted-body.ts";
import { findOutageReplacement } from "./content-outage.ts";
import { markGone, resolveContentAddress } from "./content-addresses.ts";
import { removeRefusedChoices } from "./content-negotiation.ts";
import { serveDirectly } from "./direct-handlers.ts";
import { hideDisabledFeatures } from "./disabled-features.ts";
import { disconnectStalledClient } from "./disconnect-stalled-client.ts";
import { closeWhileDraining } from "./drain-keepalive.ts";
import { serveCachedPage } from "./page-cache.ts";
import { captureFormBody, findActionReplacement } from "./failed-action.ts";
import { warnOfUntrustedProxy } from "./forwarding-headers.ts";
import { dropUnreadBody, bufferBody } from "./buffer-bodies.ts";
import { limitHeaders } from "./limit-headers.ts";
import { limitPipelining } from "./limit-pipelining.ts";
import { limitSearches } from "./limit-searches.ts";
import { findPageMethodReplacement } from "./page-methods.ts";
import { findReadingPageReplacement } from "./page-script.ts";
import { type PipelineContext, createPipelineContext } from "./pipeline-context.ts";
import {
  addTxidCookie,
  keepCookiesPrivate,
  keepMissingFilesUncached,
  sendUnavailable,
  varyByRequest,
} from "./response-head.ts";
import { traceRequest } from "./request-span.ts";
import { refuseInvalidRouterState } from "./router-state.ts";
import { sanitizeRequestUrl } from "./sanitize-url.ts";
import { SiteRequest, SiteResponse, type SiteServer } from "./site-response.ts";
import { findStaticFileReplacement, refuseStaticFileMethod } from "./static-files.ts";

/** Steps before Next sees the request. If a step refuses the request, Next never sees it. */
const REQUEST_STEPS: readonly ((context: PipelineContext) => void)[] = [
  limitPipelining,
  disconnectStalledClient,
  recordRequest, // before the others, because the access log shows the URL and method as they arrived
  warnOfUntrustedProxy,
  closeWhileDraining,
  closeAfterAbortedBody,
  limitHeaders, // before any step that parses a header
  refuseInvalidRouterState,
  refuseStaticFileMethod,
  removeRefusedChoices,
  captureFormBody,
  dropUnreadBody,
  sanitizeRequestUrl,
  resolveContentAddress, // after it, so that it sees only well-formed paths
  hideDisabledFeatures, // after redirects, which may start at a page that is off
  limitSearches,
  ({ request }) => aliasLegacyCookies(request.headers),
];

/**
 * Steps just before the response head is sent. A step may set headers and may return a different
 * status.
 */
const HEAD_STEPS: readonly ((context: PipelineContext, status: number) => number | void)[] = [
  markGone,
  keepMissingFilesUncached,
  varyByRequest,
  addTxidCookie,
  sendUnavailable,
  addServerTiming,
  announceAbortedBody,
  runHandlerHooks,
  keepCookiesPrivate, // last, because it must see every cookie
];

/** Returns a server that runs the pipeline around `handler`, within the request's context. */
export function createPipelineServer(handler: RequestListener): SiteServer {
  return createServer(
    {
      IncomingMessage: SiteRequest,
      ServerResponse: SiteResponse,
      // Node's default of five seconds can close a connection just as a proxy sends a request. The
      // proxy then can't know whether a write happened.
      keepAliveTimeout: env.KEEP_ALIVE_TIMEOUT,
      // Next's server resets upgrades that it doesn't know, such as h2c. It needs only those of
      // development.
      shouldUpgradeCallback: ({ headers }) =>
        env.NODE_ENV === "development" && headers.upgrade?.toLowerCase() === "websocket",
    },
    (request, response) => {
      const context = createPipelineContext(request, response);
      // A cached page has already lost React.
      let isHandled = false;
      response.hooks = {
        beforeHead: (status) =>
          HEAD_STEPS.reduce((current, step) => step(context, current) ?? current, status),
        findReplacement: (status) =>
          findActionReplacement(context, status) ??
          findPageMethodReplacement(context, status) ??
          findStaticFileReplacement(context, status) ??
          findOutageReplacement(context, status) ??
          (isHandled ? findReadingPageReplacement(context, status) : null),
      };
      requestContextStorage().run(context, () =>
        traceRequest(context, () => {
          for (const step of REQUEST_STEPS) {
            step(context);
            if (response.headersSent || request.socket.destroyed) return;
          }
          const handle = () => {
            isHandled = true;
            bufferBody(context, () => serveDirectly(context) || handler(request, response));
          };
          if (!serveCachedPage(context, handle)) handle();
        }),
      );
    },
  );
}

/** Runs the hooks that pages and handlers registered for this response. */
function runHandlerHooks({ beforeHeadHooks }: RequestContext): void {
  for (const hook of beforeHeadHooks) {
    try {
      hook();
    } catch (error) {
      log("error", "response.head_failed", { error });
    }
  }
}
