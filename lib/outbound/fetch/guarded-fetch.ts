// The only way out to the network: one deadline, a size limit, few redirects, public addresses only.

import { connect as connectTcp, type LookupFunction, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { Agent, type buildConnector } from "undici";
import { env } from "#lib/core/env.ts";
import { AppError, isAppError } from "#lib/core/errors.ts";
import { isPublicAddress } from "./public-address.ts";
import { ACCEPT_ENCODING, readResponseBody } from "./read-response-body.ts";
import { decodeText } from "./decode-text.ts";
import {
  parseFetchableUrl,
  hostOf,
  isAllowedPrivate,
  type NetworkPolicy,
  resolveHost,
} from "./network-policy.ts";

export interface FetchOptions {
  readonly method?: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Own headers; none of them is sent to another origin after a redirect. Cookies are refused. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** The Accept header. */
  readonly accept?: string;
  /** "text" (the default of fetchText and fetchJson): html, json, xml and plain text; anything else is refused. */
  readonly contentTypes?: "text" | "any";
  /** Everything together, from the name look-up to the last byte. Default 5,000. */
  readonly timeoutMs?: number;
  /** After decompression. Default 512 kB. */
  readonly maxBytes?: number;
  /** Default 3. */
  readonly maxRedirects?: number;
  /** Give the first `maxBytes` of a larger answer instead of throwing. */
  readonly shouldTruncate?: boolean;
  /** Ends the request early; its reason is thrown. */
  readonly signal?: AbortSignal;
  /** Where requests may go; by default what the configuration says. For tests of DNS. */
  readonly networkPolicy?: NetworkPolicy;
}

export interface FetchResult {
  /** Where the answer came from, after redirects. */
  readonly url: string;
  /** Any status but the redirects that were followed: 404 is an answer, not an error. */
  readonly status: number;
  /** As sent, or "". */
  readonly contentType: string;
  /** Lower-case names; repeated headers joined by ", ". */
  readonly headers: Readonly<Record<string, string>>;
  /** True if `truncate` was asked for and there was more. */
  readonly isTruncated: boolean;
}

export const FETCH_TIMEOUT_MS = 5_000;
export const FETCH_MAX_BYTES = 512 * 1_024;
const FETCH_MAX_REDIRECTS = 3;
const MAX_HEADER_BYTES = 32_768;
const TEXT_CONTENT_TYPES =
  /^(text\/[\w.+-]+|application\/(json|xml|xhtml\+xml|[\w.-]+\+(json|xml)))$/;
const REDIRECT_STATUSES = new Set([301, 302, 303, 307, 308]);

/** The network that the configuration describes. */
export function siteNetworkPolicy(): NetworkPolicy {
  return { allowedPrivateHosts: env.FETCH_ALLOW_PRIVATE };
}

/** True for a URL that fetching would not refuse by its text: http or https, public-looking host, usual port. */
export function isFetchableUrl(text: string): boolean {
  try {
    parseFetchableUrl(text, siteNetworkPolicy());
    return true;
  } catch {
    return false;
  }
}

function formatUserAgent(): string {
  const name = env.SITE_NAME.replace(/[^\w.-]+/g, "-").replace(/^-+|-+$/g, "") || "Lectern";
  return `Mozilla/5.0 (compatible; ${name}/1.0; +${new URL(env.SITE_URL).href})`;
}

/**
 * Connects to addresses that were checked a moment ago and to no others, so that a name which changes its
 * mind between check and use gains nothing. Sockets are kept in `sockets`: undici does not end one that is still connecting.
 */
function createGuardedConnector(
  network: NetworkPolicy,
  signal: AbortSignal,
  sockets: Set<Socket>,
): buildConnector.connector {
  return ({ hostname, protocol, port, servername }, callback) => {
    const secure = protocol === "https:";
    const host = hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
    const portNumber = Number(port) || (secure ? 443 : 80);
    resolveHost(host, portNumber, network, signal)
      .then((addresses) => {
        signal.throwIfAborted();
        const lookup: LookupFunction = (_name, { all }, done) => {
          const [first] = addresses;
          if (all) done(null, [...addresses]);
          else done(null, first!.address, first!.family);
        };
        const target = { host, port: portNumber, autoSelectFamily: true, lookup };
        const socket = secure
          ? connectTls({
              ...target,
              servername: servername || undefined,
              ALPNProtocols: ["http/1.1"],
            })
          : connectTcp(target);
        sockets.add(socket);
        const failed = (error: Error) => callback(error, null);
        socket.setNoDelay(true).once("error", failed);
        socket.once(secure ? "secureConnect" : "connect", () => {
          socket.off("error", failed);
          // A second look, at the address really reached, before anything is sent.
          if (
            !isAllowedPrivate(network, host, portNumber) &&
            !isPublicAddress(socket.remoteAddress ?? "")
          ) {
            socket.destroy();
            callback(
              new AppError("invalid", `${host} is not a public host.`, { field: "url" }),
              null,
            );
            return;
          }
          callback(null, socket);
        });
      })
      .catch((error: Error) => callback(error, null));
  };
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

/** An error that says in plain words what the other side did. */
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
  const said = (reason: string) => new AppError("unavailable", reason, { cause: error });
  if ([code, inner].includes("ECONNREFUSED")) return said(`${host} refused the connection.`);
  if (/CERT|TLS|SSL|SELF_SIGNED|VERIFY/.test(code))
    return said(`No secure connection to ${host} could be made.`);
  if (code.startsWith("Z_") || code.startsWith("ERR_BROTLI") || code.startsWith("ERR__ERROR"))
    return said(`The answer of ${host} is damaged.`);
  if (code === "UND_ERR_HEADERS_OVERFLOW")
    return new AppError("too_large", `The answer of ${host} has too many headers.`, {
      cause: error,
    });
  if (/EHOSTUNREACH|ENETUNREACH|ETIMEDOUT/.test(code + inner))
    return said(`${host} can't be reached.`);
  return said(`${host} ended the connection before its answer was complete.`);
}

interface OutgoingRequest {
  url: URL;
  method: NonNullable<FetchOptions["method"]>;
  headers: Record<string, string>;
  body: string | Uint8Array | undefined;
}

/** What to ask next, or null if the answer is no redirect. Throws AppError(invalid) if it leads nowhere we go. */
function resolveRedirect(
  from: OutgoingRequest,
  status: number,
  location: string | undefined,
  network: NetworkPolicy,
): OutgoingRequest | null {
  if (!REDIRECT_STATUSES.has(status) || location === undefined) return null;
  // Headers arrive as latin1; a Location in raw UTF-8 is common.
  const target = Buffer.from(location, "latin1").toString("utf8");
  if (!URL.canParse(target, from.url))
    throw new AppError("invalid", `${hostOf(from.url)} redirects to something that is not a URL.`);
  const url = parseFetchableUrl(new URL(target, from.url), network);
  const toGet = status === 303 ? from.method !== "HEAD" : status <= 302 && from.method === "POST";
  const sameOrigin = url.origin === from.url.origin;
  if (!toGet && !sameOrigin && from.body !== undefined) {
    throw new AppError(
      "invalid",
      `${hostOf(from.url)} redirects to another host, which does not get what was sent.`,
    );
  }
  return {
    url,
    method: toGet ? "GET" : from.method,
    headers: sameOrigin ? (toGet ? stripBodyHeaders(from.headers) : from.headers) : {},
    body: toGet ? undefined : from.body,
  };
}

function stripBodyHeaders(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !name.startsWith("content-")),
  );
}

/**
 * The answer to one request, following redirects. Throws AppError: `invalid` (a URL, a redirect or a content
 * type we don't take), `unavailable` (no answer in time, a broken one), `too_large`. When it returns or
 * throws, every socket it opened is closed.
 */
export async function fetchBytes(
  url: string | URL,
  options: FetchOptions = {},
): Promise<FetchResult & { bytes: Uint8Array }> {
  const {
    timeoutMs = FETCH_TIMEOUT_MS,
    maxBytes = FETCH_MAX_BYTES,
    maxRedirects = FETCH_MAX_REDIRECTS,
    shouldTruncate = false,
    contentTypes = "any",
  } = options;
  const network = options.networkPolicy ?? siteNetworkPolicy();
  const own = Object.fromEntries(
    Object.entries(options.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  );
  if ("cookie" in own) throw new TypeError("Cookies are never sent.");
  let request: OutgoingRequest = {
    url: parseFetchableUrl(url, network),
    method: options.method ?? "GET",
    headers: own,
    body: options.body,
  };

  const deadline = new AbortController();
  const timer = setTimeout(
    () =>
      deadline.abort(
        new AppError(
          "unavailable",
          `${hostOf(request.url)} did not answer within ${timeoutMs / 1_000} s.`,
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
    // The one deadline covers these.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: MAX_HEADER_BYTES,
  });
  try {
    for (let followed = 0; ; followed++) {
      signal.throwIfAborted();
      const response = await agent.request({
        origin: request.url.origin,
        path: request.url.pathname + request.url.search,
        method: request.method,
        headers: {
          "user-agent": formatUserAgent(),
          accept: options.accept ?? "*/*",
          "accept-encoding": ACCEPT_ENCODING,
          ...request.headers,
        },
        body: request.body,
        signal,
      });
      const headers = flattenHeaders(response.headers);
      const next = resolveRedirect(request, response.statusCode, headers.location, network);
      if (next) {
        response.body.on("error", () => {}).destroy();
        if (followed >= maxRedirects)
          throw new AppError(
            "invalid",
            `${hostOf(request.url)} redirects more than ${maxRedirects} times.`,
          );
        request = next;
        continue;
      }
      const contentType = headers["content-type"] ?? "";
      const type = contentType.split(";")[0]!.trim().toLowerCase();
      const isOk = response.statusCode >= 200 && response.statusCode < 300;
      if (isOk && contentTypes === "text" && !TEXT_CONTENT_TYPES.test(type)) {
        response.body.on("error", () => {}).destroy();
        throw new AppError(
          "invalid",
          `${hostOf(request.url)} answered with ${type ? `the type ${type.slice(0, 60)}` : "no type"}, not with text.`,
        );
      }
      const isEmpty =
        request.method === "HEAD" || response.statusCode === 204 || response.statusCode === 304;
      const body = await readResponseBody(
        response.body,
        isEmpty ? "" : (headers["content-encoding"] ?? ""),
        maxBytes,
        shouldTruncate,
      );
      return { url: request.url.href, status: response.statusCode, contentType, headers, ...body };
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw toFetchError(error, request.url);
  } finally {
    clearTimeout(timer);
    // Also ends a look-up that is still going on.
    deadline.abort(new AppError("unavailable", "The request is over."));
    for (const socket of sockets) socket.destroy();
    await agent.destroy();
  }
}

/** As `fetchBytes`, for text: decoded by its own character set. Other content types are refused unless the status is an error. */
export async function fetchText(
  url: string | URL,
  options: FetchOptions = {},
): Promise<FetchResult & { body: string }> {
  const { bytes, ...rest } = await fetchBytes(url, { contentTypes: "text", ...options });
  return { ...rest, body: decodeText(bytes, rest.contentType) };
}

/**
 * As `fetchText`, parsed. `data` is undefined where an error status came with something that is not JSON;
 * with a success status that throws AppError(invalid). Check what is inside: it is a stranger's.
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
    throw new AppError(
      "invalid",
      `${hostOf(new URL(rest.url))} answered with something that is not JSON.`,
      { cause: error },
    );
  }
}
