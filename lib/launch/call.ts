// A request to LiteFS or Consul with a deadline. Not through lib/fetch, which refuses private addresses.

import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";

export interface Call {
  readonly method?: "GET" | "PUT" | "POST" | "DELETE";
  readonly headers?: Record<string, string>;
  readonly body?: string | NodeJS.ReadableStream;
  readonly timeoutMs?: number;
}

const MAX_BYTES = 1_048_576;

/** The answer to one request. Rejects when there is none within `timeoutMs` (2 s), or when it is longer than 1 MB. */
export function call(url: string, { method = "GET", headers = {}, body, timeoutMs = 2_000 }: Call = {}): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const open = url.startsWith("https:") ? httpsRequest : httpRequest;
    const sent = open(url, { method, headers, agent: false, signal: AbortSignal.timeout(Math.max(1, Math.ceil(timeoutMs))) }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
        if (text.length > MAX_BYTES) sent.destroy(new Error(`more than ${MAX_BYTES} bytes`));
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
      response.on("error", reject);
    });
    sent.on("error", (error) => reject(new Error(`${method} ${new URL(url).origin}${new URL(url).pathname}: ${error.message}`)));
    if (typeof body === "object") body.on("error", (error) => sent.destroy(error)).pipe(sent);
    else sent.end(body);
  });
}
