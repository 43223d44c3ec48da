// What a request may look like before anything looks at it: cheap checks against what is dear or broken further in.

import { env } from "#lib/core/env.ts";
import type { IncomingMessage, ServerResponse } from "node:http";
import { captureBody, renderExpiredActionPage } from "./expired-action-page.ts";

/** A search, a list of topics and a cursor fit many times over. */
const MAX_QUERY_LENGTH = 2_000;
/** Next reads repeated parameters in time that grows with their square: 7,000 of them held the process for 1.3 s. */
const MAX_PARAMETERS = 50;
/** Where nothing is: the page for a missing address answers. */
const NOT_FOUND_PATH = "/not-an-address";

function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

/** The path of an address that was written whole, as for a proxy (RFC 9112, 3.2.2): Next would send the client on to whatever host stands in it. */
function pathOfAbsoluteUrl(url: string): string {
  const whole = /^https?:\/\//i.test(url) ? URL.parse(url) : null;
  return whole ? whole.pathname.replace(/^\/*/, "/") + whole.search : NOT_FOUND_PATH;
}

/** The address to serve in place of `given`: a path, with a query that is too long cut, and nowhere for a path that can't be decoded. */
export function sanitizeUrl(given: string): string {
  const url = given.startsWith("/") ? given : pathOfAbsoluteUrl(given);
  const at = url.indexOf("?");
  const path = at < 0 ? url : url.slice(0, at);
  if (!isDecodable(path)) return NOT_FOUND_PATH;
  if (at < 0) return url;
  let query = url.slice(at + 1, at + 1 + MAX_QUERY_LENGTH);
  const parameters = query.split("&");
  if (parameters.length > MAX_PARAMETERS) query = parameters.slice(0, MAX_PARAMETERS).join("&");
  if (query.length === url.length - at - 1) return url;
  // What was cut in the middle of an escape must not fail further in.
  return `${path}?${query.replace(/%[0-9a-f]?$/i, "")}`;
}

/** The most that Next reads of an action's body (its serverActions.bodySizeLimit). */
const MAX_ACTION_BYTES = 1_048_576;

/** Next's sign that a build does not have the action that was asked for. */
const ACTION_NOT_FOUND_HEADER = "x-nextjs-action-not-found";

/** What a POST to a page did wrong when Next failed before any action of ours began. */
function explainRefusal({ headers }: IncomingMessage): [status: number, sentence: string] {
  if (headers.origin !== undefined && URL.parse(headers.origin)?.host !== headers.host)
    return [403, "This request does not come from a page of this site."];
  if (Number(headers["content-length"]) > MAX_ACTION_BYTES)
    return [413, "This form is larger than 1 MB."];
  return [400, "This form can't be read."];
}

/** Next answers 500 to an action it can't read, or that comes from another site. That is not our fault, and says so. */
function guardServerAction(context: {
  request: IncomingMessage;
  response: ServerResponse;
  actionBegan?: boolean;
}): void {
  const { request, response } = context;
  const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => ServerResponse;
  const write = response.write.bind(response) as (...args: unknown[]) => boolean;
  const end = response.end.bind(response) as (...args: unknown[]) => ServerResponse;
  // Scripts learn from the header what it is, and keep the form themselves.
  const kept = request.headers["next-action"] === undefined ? captureBody(request) : null;
  let sentence: string | null = null;
  let stale: number | null = null;
  const isStale = (status: number) => {
    if (
      kept &&
      stale === null &&
      !response.headersSent &&
      response.getHeader(ACTION_NOT_FOUND_HEADER) === "1"
    )
      stale = status;
    return stale !== null;
  };
  const showStale = async (status: number) => {
    const page = await renderExpiredActionPage({
      body: kept?.() ?? null,
      contentType: request.headers["content-type"] ?? "",
      path: sanitizeUrl(request.url ?? "/"),
    });
    for (const name of response.getHeaderNames())
      if (/^(content-(type|length|encoding)|etag)$/.test(name)) response.removeHeader(name);
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.setHeader("cache-control", "private, no-store");
    response.statusCode = status;
    writeHead(status);
    end(page);
  };
  const refuse = () => {
    const [status, said] = explainRefusal(request);
    sentence = `${said}\n`;
    for (const name of response.getHeaderNames())
      if (/^content-(type|length|encoding)$/.test(name)) response.removeHeader(name);
    response.setHeader("content-type", "text/plain; charset=utf-8");
    response.setHeader("cache-control", "no-store");
    return writeHead(status);
  };
  const isFailing = (status: number) =>
    !response.headersSent && status === 500 && !context.actionBegan;
  response.writeHead = ((status: number, ...rest: unknown[]) =>
    isStale(status)
      ? response
      : isFailing(status)
        ? refuse()
        : writeHead(status, ...rest)) as ServerResponse["writeHead"];
  response.write = ((...args: unknown[]) =>
    sentence === null && !isStale(response.statusCode)
      ? write(...args)
      : true) as ServerResponse["write"];
  let isShown = false;
  response.end = ((...args: unknown[]) => {
    if (isStale(response.statusCode)) {
      if (!isShown) void showStale(stale!).catch(() => response.destroy());
      isShown = true;
      return response;
    }
    if (sentence === null && isFailing(response.statusCode)) refuse();
    if (sentence === null) return end(...args);
    return end(
      sentence,
      args.find((arg) => typeof arg === "function"),
    );
  }) as ServerResponse["end"];
}

/** Handlers that read a body themselves, within bounds of their own. Every other body is a form's, for Next to read. */
const OWN_BODY_ROUTES =
  /^\/(reads|calls\/upload(\/[^/?]+){0,2}|api\/content-webhook|(login\/passkey|me\/passkeys)\/(options|verify)|internal\/cache)(\?|$)/;
/** What benchmarks measure beside the site; not part of an ordinary build. */
const BENCH_BODY_ROUTES = /^\/api\/bench-/;
/** A form comes with its headers or soon after. */
const FORM_TIMEOUT_MS = 20_000;
/** Forms that are on their way at the same time. Each may have 1 MB in memory, and whoever sends none of it to its end sends many. */
const MAX_CONCURRENT_FORMS = 64;
let activeForms = 0;
/** Of these by one client, where Fly's proxy names it: nobody keeps all places by himself. */
const MAX_FORMS_PER_CLIENT = 16;
const activeFormsByClient = new Map<string, number>();

/** Bounds what bodies of forms hold in memory: their number, and how long each may take. */
function limitFormBody(request: IncomingMessage): void {
  if (request.headers["content-length"] === "0") return;
  const client = env.TRUST_PROXY === "fly" ? String(request.headers["fly-client-ip"] ?? "") : "";
  const own = activeFormsByClient.get(client) ?? 0;
  if (activeForms >= MAX_CONCURRENT_FORMS || (client !== "" && own >= MAX_FORMS_PER_CLIENT)) {
    request.destroy();
    return;
  }
  activeForms += 1;
  activeFormsByClient.set(client, own + 1);
  let isOver = false;
  const timer = setTimeout(() => request.destroy(), FORM_TIMEOUT_MS);
  const over = () => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    activeForms -= 1;
    const left = (activeFormsByClient.get(client) ?? 1) - 1;
    if (left > 0) activeFormsByClient.set(client, left);
    else activeFormsByClient.delete(client);
  };
  request.once("end", over).once("close", over);
}

function hasOwnBodyReader(url: string): boolean {
  return OWN_BODY_ROUTES.test(url) || (env.BENCH && BENCH_BODY_ROUTES.test(url));
}

/** Changes a request in place before the server hands it on, and the head of an answer that says that a file is missing. */
export function applyRequestGuards(context: {
  request: IncomingMessage;
  response: ServerResponse;
  actionBegan?: boolean;
}): void {
  const { request, response } = context;
  if (
    request.method !== "GET" &&
    request.method !== "HEAD" &&
    !hasOwnBodyReader(request.url ?? "")
  ) {
    const isAction =
      request.method === "POST" &&
      (request.headers["next-action"] !== undefined ||
        request.headers["content-type"]?.includes("multipart/form-data"));
    if (isAction) {
      guardServerAction(context);
      limitFormBody(request);
    } else if (
      request.headers["content-length"] !== undefined ||
      request.headers["transfer-encoding"] !== undefined
    ) {
      // No page takes such a body. As a GET nobody reads it: Next would hold it in memory first.
      request.method = "GET";
    }
  }
  // Nothing here answers TRACE, and Next fails on it.
  if (request.method === "TRACE") {
    request.method = "GET";
    request.url = NOT_FOUND_PATH;
  }
  const url = request.url ?? "/";
  request.url = sanitizeUrl(url);
  if (url.startsWith("/_next/static/") || url.startsWith("/_img/")) {
    const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => ServerResponse;
    // The headers of built files are set by their address. A file that is missing, as during a deploy, has neither
    // an encoding nor a year in every cache.
    response.writeHead = ((status: number, ...rest: unknown[]) => {
      if (status >= 400) {
        response.removeHeader("content-encoding");
        response.setHeader("cache-control", "no-store");
      }
      return writeHead(status, ...rest);
    }) as ServerResponse["writeHead"];
  }
}
