// Fetches untrusted URLs with SSRF protection: public addresses only, one deadline, limits on size
// and redirects.

import type { Socket } from "node:net";
import { Agent, type Dispatcher } from "undici";
import { env } from "#lib/core/env.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { AppError, isAppError } from "#lib/core/errors.ts";
import { withSpan } from "#lib/core/telemetry.ts";
import { createGuardedConnector } from "./guarded-connector.ts";
import { ACCEPT_ENCODING, readResponseBody } from "./read-response-body.ts";
import { decodeText } from "./decode-text.ts";
import { type NetworkPolicy, hostOf, parseFetchableUrl } from "./network-policy.ts";

export interface FetchOptions {
  readonly method?: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Dropped on a redirect to another origin. A Cookie header throws TypeError. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** The Accept header. */
  readonly accept?: string;
  /** "text" (default of fetchText and fetchJson) accepts text, JSON and XML only. */
  readonly contentTypes?: "text" | "any";
  /** Deadline from the DNS lookup to the last byte. Default: 5 s. */
  readonly timeoutMs?: number;
  /** Maximum body size after decompression. Default: 512 kB. */
  readonly maxBytes?: number;
  /** Default: 3. */
  readonly maxRedirects?: number;
  /** Returns the first `maxBytes` of a larger body instead of throwing. */
  readonly shouldTruncate?: boolean;
  /** Aborts the request; its reason is thrown. */
  readonly signal?: AbortSignal;
  /** Default: from the configuration. For tests. */
  readonly networkPolicy?: NetworkPolicy;
}

interface FetchResult {
  /** The final URL, after redirects. */
  readonly url: string;
  /** Any status except that of a followed redirect. A 404 is not an error. */
  readonly status: number;
  /** The Content-Type header, or "". */
  readonly contentType: string;
  /** Lowercase names; repeated headers joined by ", ". */
  readonly headers: Readonly<Record<string, string>>;
  /** True if shouldTruncate cut the body. */
  readonly isTruncated: boolean;
}

const FETCH_TIMEOUT_MS = 5_000;
const FETCH_MAX_BYTES = 512 * 1_024;
const FETCH_MAX_REDIRECTS = 3;
const MAX_HEADER_BYTES = 32_768;
const TEXT_CONTENT_TYPES =
  /^(text\/[\w.+-]+|application\/(json|xml|xhtml\+xml|[\w.-]+\+(json|xml)))$/;
const REDIRECT_STATUSES = new Set([301, 302, 303, 307, 308]);

/** Returns the network policy from the configuration. */
function siteNetworkPolicy(): NetworkPolicy {
  return { allowedPrivateHosts: env.FETCH_ALLOW_PRIVATE };
}

/**
 * Returns true unless the URL itself rules out a fetch. It must be http or https, with a public
 * hostname and a default port.
 */
export function isFetchableUrl(text: string): boolean {
  try {
    parseFetchableUrl(text, siteNetworkPolicy());
    return true;
  } catch {
    return false;
  }
}

function formatUserAgent(): string {
  const name = siteConfig.name.replace(/[^\w.-]+/g, "-").replace(/^-+|-+$/g, "") || "Lectern";
  return `Mozilla/5.0 (compatible; ${name}/1.0; +${new URL(env.SITE_URL).href})`;
}

function flattenHeaders(
  raw: Record<string, string | string[] | undefined>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(raw).flatMap(([name, value]) =>
      value === undefined
        ? []
        : [[name.toLowerCase(), Array.isArray(value) ? value.join(", ") : value]],
    ),
  );
}

/** Converts a network error to an AppError with a readable message. */
function toFetchError(error: unknown, url: URL): AppError {
  if (isAppError(error)) return error;
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (isAppError(cause)) return cause;
  const host = hostOf(url);
  const code = String((error as { code?: unknown }).code ?? "");
  const inner =
    error instanceof AggregateError
      ? String((error.errors[0] as { code?: unknown } | undefined)?.code ?? "")
      : "";
  const unavailable = (reason: string) => new AppError("unavailable", reason, { cause: error });
  if ([code, inner].includes("ECONNREFUSED")) return unavailable(`${host} refused the connection.`);
  if (/CERT|TLS|SSL|SELF_SIGNED|VERIFY/.test(code))
    return unavailable(`Couldn't establish a secure connection to ${host}.`);
  if (code.startsWith("Z_") || code.startsWith("ERR_BROTLI") || code.startsWith("ERR__ERROR"))
    return unavailable(`The response from ${host} is corrupt.`);
  if (code === "UND_ERR_HEADERS_OVERFLOW")
    return new AppError("too_large", `The response from ${host} has too many headers.`, {
      cause: error,
    });
  if (/EHOSTUNREACH|ENETUNREACH|ETIMEDOUT/.test(code + inner))
    return unavailable(`${host} can't be reached.`);
  return unavailable(`${host} closed the connection before its response was complete.`);
}

interface OutgoingRequest {
  url: URL;
  method: NonNullable<FetchOptions["method"]>;
  headers: Record<string, string>;
  body: string | Uint8Array | undefined;
}

/**
 * Returns the redirected request, or null if `status` is not a redirect. Throws AppError(invalid)
 * for a forbidden target.
 */
function resolveRedirect(
  from: OutgoingRequest,
  status: number,
  location: string | undefined,
  network: NetworkPolicy,
): OutgoingRequest | null {
  if (!REDIRECT_STATUSES.has(status) || location === undefined) return null;
  // Node decodes headers as latin1, but a Location in raw UTF-8 is common.
  const target = Buffer.from(location, "latin1").toString("utf8");
  if (!URL.canParse(target, from.url))
    throw new AppError("invalid", `${hostOf(from.url)} redirects to something that is not a URL.`);
  const url = parseFetchableUrl(new URL(target, from.url), network);
  const becomesGet =
    status === 303 ? from.method !== "HEAD" : status <= 302 && from.method === "POST";
  const isSameOrigin = url.origin === from.url.origin;
  if (!becomesGet && !isSameOrigin && from.body !== undefined) {
    throw new AppError(
      "invalid",
      `${hostOf(from.url)} redirects a request with a body to another host.`,
    );
  }
  return {
    url,
    method: becomesGet ? "GET" : from.method,
    headers: isSameOrigin ? (becomesGet ? stripBodyHeaders(from.headers) : from.headers) : {},
    body: becomesGet ? undefined : from.body,
  };
}

function stripBodyHeaders(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !name.startsWith("content-")),
  );
}

/**
 * Returns the response after redirects, with all sockets closed. Throws AppError(invalid) for a
 * forbidden URL, redirect or content type, AppError(unavailable) on a timeout or network error, and
 * AppError(too_large) beyond `maxBytes`.
 */
export function fetchBytes(
  url: string | URL,
  options: FetchOptions = {},
): Promise<FetchResult & { bytes: Uint8Array }> {
  const method = options.method ?? "GET";
  // Without the path, which may contain a secret, as in a webhook URL.
  const host = URL.parse(String(url))?.host ?? "";
  return withSpan(
    `${method} ${host}`,
    { "http.request.method": method, "server.address": host },
    () => fetchWithinDeadline(url, options),
  );
}

async function fetchWithinDeadline(
  url: string | URL,
  options: FetchOptions,
): Promise<FetchResult & { bytes: Uint8Array }> {
  const { timeoutMs = FETCH_TIMEOUT_MS, maxRedirects = FETCH_MAX_REDIRECTS } = options;
  const network = options.networkPolicy ?? siteNetworkPolicy();
  const requestHeaders = Object.fromEntries(
    Object.entries(options.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  );
  if ("cookie" in requestHeaders) throw new TypeError("Cookies are never sent.");
  let request: OutgoingRequest = {
    url: parseFetchableUrl(url, network),
    method: options.method ?? "GET",
    headers: requestHeaders,
    body: options.body,
  };

  const deadline = new AbortController();
  const timer = setTimeout(
    () =>
      deadline.abort(
        new AppError(
          "unavailable",
          `${hostOf(request.url)} did not respond within ${timeoutMs / 1_000} s.`,
        ),
      ),
    timeoutMs,
  );
  const signal = options.signal
    ? AbortSignal.any([deadline.signal, options.signal])
    : deadline.signal;
  const sockets = new Set<Socket>();
  const agent = new Agent({
    connect: createGuardedConnector(network, signal, sockets),
    allowH2: false,
    pipelining: 0,
    // Disabled, because the deadline covers them.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: MAX_HEADER_BYTES,
  });
  try {
    for (let redirectCount = 0; ; redirectCount++) {
      signal.throwIfAborted();
      const response = await sendRequest(agent, request, options, signal);
      const headers = flattenHeaders(response.headers);
      const next = resolveRedirect(request, response.statusCode, headers.location, network);
      if (!next) return await readResponse(request, response, headers, options);
      discardBody(response);
      if (redirectCount >= maxRedirects)
        throw new AppError(
          "invalid",
          `${hostOf(request.url)} redirects more than ${maxRedirects} times.`,
        );
      request = next;
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw toFetchError(error, request.url);
  } finally {
    clearTimeout(timer);
    // Also cancels a running DNS lookup.
    deadline.abort(new AppError("unavailable", "The request is over."));
    for (const socket of sockets) socket.destroy();
    await agent.destroy();
  }
}

const sendRequest = (
  agent: Agent,
  { url, method, headers, body }: OutgoingRequest,
  { accept = "*/*" }: FetchOptions,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> =>
  agent.request({
    origin: url.origin,
    path: url.pathname + url.search,
    method,
    headers: {
      "user-agent": formatUserAgent(),
      accept,
      "accept-encoding": ACCEPT_ENCODING,
      ...headers,
    },
    body,
    signal,
  });

const discardBody = ({ body }: Dispatcher.ResponseData) => body.on("error", () => {}).destroy();

/** Returns a response that is not a redirect. Throws AppError(invalid) and AppError(too_large). */
async function readResponse(
  { url, method }: OutgoingRequest,
  response: Dispatcher.ResponseData,
  headers: Record<string, string>,
  { contentTypes = "any", maxBytes = FETCH_MAX_BYTES, shouldTruncate = false }: FetchOptions,
): Promise<FetchResult & { bytes: Uint8Array }> {
  const { statusCode: status } = response;
  const contentType = headers["content-type"] ?? "";
  const type = contentType.split(";")[0]!.trim().toLowerCase();
  const isOk = status >= 200 && status < 300;
  if (isOk && contentTypes === "text" && !TEXT_CONTENT_TYPES.test(type)) {
    discardBody(response);
    throw new AppError(
      "invalid",
      `${hostOf(url)} responded with ${type ? `the type ${type.slice(0, 60)}` : "no type"}, not with text.`,
    );
  }
  const isEmpty = method === "HEAD" || status === 204 || status === 304;
  const body = await readResponseBody(
    response.body,
    isEmpty ? "" : (headers["content-encoding"] ?? ""),
    maxBytes,
    shouldTruncate,
  );
  return { url: url.href, status, contentType, headers, ...body };
}

/**
 * Like fetchBytes(), with the body decoded as text. Refuses other content types unless the status
 * is an error.
 */
export async function fetchText(
  url: string | URL,
  options: FetchOptions = {},
): Promise<FetchResult & { body: string }> {
  const { bytes, ...rest } = await fetchBytes(url, { contentTypes: "text", ...options });
  return { ...rest, body: decodeText(bytes, rest.contentType) };
}

/**
 * Like fetchText(), with the body parsed as JSON; validate `data`. If the body is not JSON, `data`
 * is undefined for an error status, and a success status throws AppError(invalid).
 */
export async function fetchJson(
  url: string | URL,
  options: FetchOptions = {},
): Promise<FetchResult & { data: unknown }> {
  const { body, ...rest } = await fetchText(url, { accept: "application/json", ...options });
  try {
    return { ...rest, data: body === "" ? undefined : (JSON.parse(body) as unknown) };
  } catch (error) {
    if (rest.status < 200 || rest.status >= 300) return { ...rest, data: undefined };
    throw new AppError("invalid", `${hostOf(new URL(rest.url))} did not respond with JSON.`, {
      cause: error,
    });
  }
}
