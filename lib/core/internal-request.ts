// Sends a request within the private network, to LiteFS, Consul, a peer or this process itself, with
// a deadline. The guarded fetch of lib/outbound refuses private addresses (SSRF).

import { type Agent, type IncomingHttpHeaders, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";

interface InternalRequest {
  readonly method?: "GET" | "PUT" | "POST" | "DELETE";
  readonly headers?: Record<string, string>;
  readonly body?: string | NodeJS.ReadableStream;
  /** Deadline for the whole request. Default: 2 s. */
  readonly timeoutMs?: number;
  /**
   * Reuses connections. By default, each request opens a new one, because a pooled one may lead to a
   * dead node.
   */
  readonly agent?: Agent | false;
  /** Maximum length of the response body. Default: 1 MB. */
  readonly maxBytes?: number;
}

interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The body as it was sent. */
  readonly bytes: Buffer;
}

const MAX_BYTES = 1_048_576;

/**
 * Returns the response, whatever its status. Rejects after `timeoutMs`, or if the body is larger
 * than `maxBytes`.
 */
export function requestInternal(
  url: string,
  {
    method = "GET",
    headers = {},
    body,
    timeoutMs = 2_000,
    agent = false,
    maxBytes = MAX_BYTES,
  }: InternalRequest = {},
): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    const send = url.startsWith("https:") ? httpsRequest : httpRequest;
    const outgoing = send(
      url,
      {
        method,
        headers,
        agent,
        signal: AbortSignal.timeout(Math.max(1, Math.ceil(timeoutMs))),
      },
      (response) => {
        const chunks: Buffer[] = [];
        let length = 0;
        response.on("data", (chunk: Buffer) => {
          chunks.push(chunk);
          length += chunk.length;
          if (length > maxBytes)
            outgoing.destroy(new Error(`the response is larger than ${maxBytes} bytes`));
        });
        response.on("end", () => {
          const bytes = Buffer.concat(chunks);
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: bytes.toString(),
            bytes,
          });
        });
        response.on("error", reject);
      },
    );
    outgoing.on("error", (error) =>
      reject(
        new Error(`${method} ${new URL(url).origin}${new URL(url).pathname}: ${error.message}`),
      ),
    );
    if (typeof body === "object")
      body.on("error", (error) => outgoing.destroy(error)).pipe(outgoing);
    else outgoing.end(body);
  });
}
