// Sends requests like an attacker: any method, path, header and bytes. Follows no redirects and
// keeps no cookies.

import { Agent, type IncomingHttpHeaders, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { ATTACK_PORT } from "#tests/support/e2e/site-under-test.ts";
import { HOST, ORIGIN } from "./attack-server.ts";

const agent = new Agent({ keepAlive: true, maxSockets: 32 });
const TIMEOUT_MS = 20_000;

export interface AttackRequest {
  readonly method?: string;
  readonly path: string;
  /** Undefined removes a default header. */
  readonly headers?: Record<string, string | string[] | undefined>;
  readonly body?: string | Uint8Array;
  readonly cookie?: string;
  /** The client address that Fly's proxy would report. Default: a new one per request. */
  readonly clientAddress?: string;
}

export interface AttackResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly bytes: Buffer;
}

/** Returns the first fault in a response (a property that no response may have), or null. */
export function findFault({
  status,
  headers,
  text,
}: Pick<AttackResponse, "status" | "headers" | "text">): string | null {
  if (status >= 500 && status !== 503) return `status ${status}`;
  const internalHeader = Object.keys(headers).find((name) =>
    /^(fly-|x-powered-by$|x-middleware-(?!prefetch$)|server$)/.test(name),
  );
  if (internalHeader) return `the header ${internalHeader}: ${String(headers[internalHeader])}`;
  const location = headers.location ?? (headers["x-action-redirect"] as string | undefined);
  if (location !== undefined && URL.parse(location, ORIGIN)?.origin !== ORIGIN)
    return `a redirect to ${location}`;
  for (const line of headers["set-cookie"] ?? []) {
    if (
      !/^__Host-[a-z-]+=[^;\s]*;/.test(line) ||
      !/; Secure/i.test(line) ||
      !/; HttpOnly/i.test(line) ||
      !/; SameSite=Lax/i.test(line) ||
      !/; Path=\/(;|$)/i.test(line) ||
      /; Domain=/i.test(line)
    )
      return `the cookie ${line.replace(/=[^;]+/, "=…")}`;
  }
  const trace =
    /\n\s+at [^\n]{1,200}:\d+:\d+|node:internal|(?:^|[\s"'(])(?:\/(?:home|root|tmp|work|app|usr|var)\/[\w./-]+|file:\/\/\/)|better-sqlite3|SQLITE_[A-Z]+|SqliteError/.exec(
      text,
    );
  if (
    trace &&
    status >= 400 &&
    /^(text\/(?!html)|application\/(json|problem))/.test(headers["content-type"] ?? "")
  )
    return `an internal detail: ${trace[0].slice(0, 100)}`;
  if (/\n\s+at [^\n]{1,200}\.(?:js|ts|mjs):\d+:\d+/.test(text) && status >= 400)
    return "a stack trace";
  return null;
}

let addressCount = 0;
/** Returns an unused address, so that rate limits never trigger by accident. */
export function nextAddress(): string {
  addressCount += 1;
  return `2001:db8:${(addressCount >> 16).toString(16)}:${(addressCount & 0xffff).toString(16)}::1`;
}

/** Headers that a page of the site sends. */
export const SAME_ORIGIN_HEADERS = { origin: ORIGIN, "sec-fetch-site": "same-origin" };
export const USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/**
 * Sends a request and returns the response. Rejects if the response is incomplete after 20 seconds,
 * or has a fault (see findFault).
 */
export function sendAttack({
  method = "GET",
  path,
  headers = {},
  body,
  cookie,
  clientAddress,
}: AttackRequest): Promise<AttackResponse> {
  const all: Record<string, string | string[]> = {};
  const defaults = {
    host: HOST,
    "user-agent": USER_AGENT,
    "fly-client-ip": clientAddress ?? nextAddress(),
    ...(cookie && { cookie }),
    ...(body !== undefined && { "content-length": String(Buffer.byteLength(body)) }),
  };
  for (const [name, value] of Object.entries({ ...defaults, ...headers }))
    if (value !== undefined) all[name] = value;
  if (headers["transfer-encoding"]) delete all["content-length"];
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        host: "127.0.0.1",
        port: ATTACK_PORT,
        method,
        path,
        headers: all,
        agent,
        insecureHTTPParser: false,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          clearTimeout(timer);
          const bytes = Buffer.concat(chunks);
          const result = {
            status: response.statusCode ?? 0,
            headers: response.headers,
            bytes,
            text: bytes.toString("utf8"),
          };
          const fault = findFault(result);
          if (fault)
            reject(
              new Error(
                `${method} ${path.slice(0, 300)} was answered with ${fault}\n${JSON.stringify(all).slice(0, 500)}\n${String(body ?? "").slice(0, 500)}`,
              ),
            );
          else resolve(result);
        });
      },
    );
    const timer = setTimeout(
      () =>
        request.destroy(
          new Error(`${method} ${path.slice(0, 200)}: no answer in ${TIMEOUT_MS} ms`),
        ),
      TIMEOUT_MS,
    );
    request.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    request.end(body);
  });
}

/**
 * Sends bytes to the server's port. Returns what the server sends until it closes the connection,
 * or until `ms` have passed.
 */
export function sendRawBytes(bytes: string | Uint8Array, ms = 3_000): Promise<string> {
  return new Promise((resolve) => {
    let received = "";
    const socket = connect(ATTACK_PORT, "127.0.0.1", () => socket.write(bytes));
    const done = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(received);
    };
    const timer = setTimeout(done, ms);
    socket.on("data", (data) => (received += data.toString("latin1")));
    socket.on("close", done).on("error", done);
  });
}

export type MultipartPart = readonly [name: string, value: string | Uint8Array, filename?: string];

/** Encodes multipart/form-data without escaping, so that names and values can be anything. */
export function encodeMultipart(
  parts: readonly MultipartPart[],
  boundary = "----lecternattack7f3a",
): { body: Buffer; headers: { "content-type": string } } {
  const chunks: Buffer[] = [];
  for (const [name, value, filename] of parts) {
    const file =
      filename === undefined
        ? ""
        : `; filename="${filename}"\r\nContent-Type: application/octet-stream`;
    chunks.push(
      Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n`),
      Buffer.from(value as string),
      Buffer.from("\r\n"),
    );
  }
  chunks.push(Buffer.from(`--${boundary}--\r\n`));
  return {
    body: Buffer.concat(chunks),
    headers: { "content-type": `multipart/form-data; boundary=${boundary}` },
  };
}
