// Sets the headers that Fly's proxy sets, and drops clients' values of headers that only the proxy
// may set.

import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { randomBytes } from "node:crypto";

/** Hop-by-hop headers (RFC 9110, 7.6.1). */
const HOP_BY_HOP_HEADERS = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];
/** Set only by the proxy; clients' values are dropped. */
const PROXY_HEADERS = [
  "fly-client-ip",
  "fly-region",
  "fly-request-id",
  "fly-replay-src",
  "fly-replay-failed",
  "fly-preferred-instance-unavailable",
  "fly-forwarded-proto",
  "fly-forwarded-port",
  "fly-forwarded-ssl",
];

/** Returns the headers of a client's request as the site receives them. `id` is the request ID. */
export function makeRequestHeaders(
  request: IncomingMessage,
  region: string,
  id: string,
): IncomingHttpHeaders {
  const headers: IncomingHttpHeaders = { ...request.headers };
  const connectionHeaders = (headers.connection ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase());
  for (const name of [...HOP_BY_HOP_HEADERS, ...PROXY_HEADERS, ...connectionHeaders])
    delete headers[name];
  // A body without a length stays chunked.
  if (request.headers["transfer-encoding"]) headers["transfer-encoding"] = "chunked";
  const client = unmapIpv4(request.socket.remoteAddress);
  const port = String(request.socket.localPort);
  return {
    ...headers,
    "x-forwarded-for": [
      request.headers["x-forwarded-for"],
      client,
      unmapIpv4(request.socket.localAddress),
    ]
      .filter(Boolean)
      .join(", "),
    "x-forwarded-proto": "http",
    "x-forwarded-ssl": "off",
    "x-forwarded-port": port,
    "fly-forwarded-proto": "http",
    "fly-forwarded-ssl": "off",
    "fly-forwarded-port": port,
    "fly-client-ip": client,
    "fly-region": region,
    "fly-request-id": id,
    via: [request.headers.via, `${request.httpVersion} fly.io`].filter(Boolean).join(", "),
  };
}

/**
 * Returns the raw headers of the site's response as the client receives them, in order and with
 * duplicates.
 */
export function makeResponseHeaders(response: IncomingMessage, id: string): string[] {
  const headers: string[] = [];
  for (let i = 0; i < response.rawHeaders.length; i += 2) {
    const name = response.rawHeaders[i]!;
    const lower = name.toLowerCase();
    if (!HOP_BY_HOP_HEADERS.includes(lower) && !lower.startsWith("fly-replay"))
      headers.push(name, response.rawHeaders[i + 1]!);
  }
  return [...headers, "Via", "1.1 fly.io", "Fly-Request-Id", id];
}

/** Returns a request ID like Fly's, which consists of a ULID and the edge's region. */
export const newRequestId = (region: string) =>
  `${Date.now().toString(36).toUpperCase()}${randomBytes(8).toString("hex").toUpperCase()}-${region}`;

const unmapIpv4 = (address = "") => address.replace(/^::ffff:/, "");
