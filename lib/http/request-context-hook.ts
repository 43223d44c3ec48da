// Remembers the request of each asynchronous chain, and lets the rest of the site add to the head of its response.

import diagnostics from "node:diagnostics_channel";
import type { Server, ServerResponse } from "node:http";
import { type RequestContext, requestContextStorage } from "#lib/core/request-context.ts";
import { log } from "#lib/core/log.ts";
import { aliasLegacyCookies } from "./alias-legacy-cookies.ts";
import { drainKeepAlive } from "./drain-keepalive.ts";
import { applyRequestGuards } from "./request-guards.ts";
import { createTxidCookie } from "#lib/replication/read-your-writes.ts";
import { closeAfterAbortedBody } from "./close-after-aborted-body.ts";
import { instrumentRequest } from "./instrument-request.ts";

const shared = globalThis as { __lecternFollows?: true };

/** Begins to remember the request of each asynchronous chain. Called once, before the server takes requests. */
export function installRequestContextHook(): void {
  if (shared.__lecternFollows) return;
  shared.__lecternFollows = true;
  const store = requestContextStorage();
  diagnostics.subscribe("http.server.request.start", (message) => {
    const { request, response, server } = message as RequestContext & { readonly server: Server };
    drainKeepAlive(server, response);
    const context: RequestContext = { request, response, beforeHeadHooks: [], serverTimings: [] };
    instrumentRequest(context);
    hookResponseHead(context);
    applyRequestGuards(context);
    closeAfterAbortedBody(context);
    aliasLegacyCookies(request.headers);
    store.enterWith(context);
  });
}

function hookResponseHead(context: RequestContext): void {
  const { response } = context;
  const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => ServerResponse;
  let isCalled = false;
  response.writeHead = ((status: number, ...rest: unknown[]) => {
    if (isCalled || response.headersSent) return writeHead(status, ...rest);
    isCalled = true;
    if (context.committedTxid !== undefined)
      response.appendHeader("set-cookie", createTxidCookie(context.committedTxid));
    let sent = status;
    if (context.retryAfterSeconds !== undefined && status === 200) {
      sent = 503;
      response.setHeader("retry-after", String(context.retryAfterSeconds));
    }
    for (const listener of context.beforeHeadHooks ?? []) {
      try {
        listener();
      } catch (error) {
        log("error", "response.head_failed", { error });
      }
    }
    // With a cookie it is somebody's: a shared cache that kept it would hand the session to the next one.
    if (
      response.hasHeader("set-cookie") &&
      /\b(public|s-maxage)\b/.test(String(response.getHeader("cache-control")))
    )
      response.setHeader("cache-control", "private, no-store");
    return writeHead(sent, ...rest);
  }) as ServerResponse["writeHead"];
}
