// What Fly's proxy puts on a request, and what it lets nobody else put there.

import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { randomBytes } from "node:crypto";

/** For one connection only (RFC 9110, 7.6.1). */
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
/** Said by the proxy alone: a client's own are dropped. */
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

/** The headers of a client's request as the site gets them. `id` is the request's. */
export function makeRequestHeaders(
  request: IncomingMessage,
  region: string,
  id: string,
): IncomingHttpHeaders {
  const headers: IncomingHttpHeaders = { ...request.headers };
  const named = (headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase());
  for (const name of [...HOP_BY_HOP_HEADERS, ...PROXY_HEADERS, ...named]) delete headers[name];
  // A body whose length nobody said keeps its framing.
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

/** The headers of the site's answer as the client gets them, in the order and number they came. */
export function makeResponseHeaders(response: IncomingMessage, id: string): string[] {
  const kept: string[] = [];
  for (let i = 0; i < response.rawHeaders.length; i += 2) {
    const name = response.rawHeaders[i]!;
    const lower = name.toLowerCase();
    if (!HOP_BY_HOP_HEADERS.includes(lower) && !lower.startsWith("fly-replay"))
      kept.push(name, response.rawHeaders[i + 1]!);
  }
  return [...kept, "Via", "1.1 fly.io", "Fly-Request-Id", id];
}

/** Fly's are a ULID and the edge's region. */
export const newRequestId = (region: string) =>
  `${Date.now().toString(36).toUpperCase()}${randomBytes(8).toString("hex").toUpperCase()}-${region}`;

const unmapIpv4 = (address = "") => address.replace(/^::ffff:/, "");
