// A request within the private network, to LiteFS, Consul or another instance, with a deadline. Not through lib/fetch, which refuses private addresses.

import { type IncomingHttpHeaders, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";

export interface InternalRequest {
  readonly method?: "GET" | "PUT" | "POST" | "DELETE";
  readonly headers?: Record<string, string>;
  readonly body?: string | NodeJS.ReadableStream;
  /** The bound of the whole call. */
  readonly timeoutMs?: number;
  readonly maxBytes?: number;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const MAX_BYTES = 1_048_576;

/** The answer to one request. Rejects when there is none within `timeoutMs` (2 s), or when it is longer than `maxBytes` (1 MB). */
export function requestInternal(
  url: string,
  {
    method = "GET",
    headers = {},
    body,
    timeoutMs = 2_000,
    maxBytes = MAX_BYTES,
  }: InternalRequest = {},
): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    const open = url.startsWith("https:") ? httpsRequest : httpRequest;
    // No agent: these are few, and a connection kept for a node that died would be the first to be tried.
    const sent = open(
      url,
      {
        method,
        headers,
        agent: false,
        signal: AbortSignal.timeout(Math.max(1, Math.ceil(timeoutMs))),
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
          if (text.length > maxBytes) sent.destroy(new Error(`more than ${maxBytes} bytes`));
        });
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
        );
        response.on("error", reject);
      },
    );
    sent.on("error", (error) =>
      reject(
        new Error(`${method} ${new URL(url).origin}${new URL(url).pathname}: ${error.message}`),
      ),
    );
    if (typeof body === "object") body.on("error", (error) => sent.destroy(error)).pipe(sent);
    else sent.end(body);
  });
}
