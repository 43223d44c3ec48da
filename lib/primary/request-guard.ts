// What a request may look like before anything looks at it: cheap checks against what is dear or broken further in.

import type { IncomingMessage, ServerResponse } from "node:http";

/** A search, a list of topics and a cursor fit many times over. */
const MAX_QUERY = 2_000;
/** Next reads repeated parameters in time that grows with their square: 7,000 of them held the process for 1.3 s. */
const MAX_PARAMETERS = 50;
/** Where nothing is: the page for a missing address answers. */
const NOWHERE = "/not-an-address";

function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

/** The address to serve in place of `url`: with a query that is too long cut, and nowhere for a path that can't be decoded. */
export function tameUrl(url: string): string {
  const at = url.indexOf("?");
  const path = at < 0 ? url : url.slice(0, at);
  if (!isDecodable(path)) return NOWHERE;
  if (at < 0) return url;
  let query = url.slice(at + 1, at + 1 + MAX_QUERY);
  const parameters = query.split("&");
  if (parameters.length > MAX_PARAMETERS) query = parameters.slice(0, MAX_PARAMETERS).join("&");
  if (query.length === url.length - at - 1) return url;
  // What was cut in the middle of an escape must not fail further in.
  return `${path}?${query.replace(/%[0-9a-f]?$/i, "")}`;
}

/** Changes a request in place before the server hands it on, and the head of an answer that says that a file is missing. */
export function guard({ request, response }: { request: IncomingMessage; response: ServerResponse }): void {
  // Nothing here answers TRACE, and Next fails on it.
  if (request.method === "TRACE") {
    request.method = "GET";
    request.url = NOWHERE;
  }
  const url = request.url ?? "/";
  request.url = tameUrl(url);
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
