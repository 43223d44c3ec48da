// Sends single requests from chosen loopback addresses. Rate limits count by address, so each
// address is a separate client.

import { type Agent, type IncomingHttpHeaders, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { encodeForm, findForm, parseForms } from "#tests/support/no-js-browser.ts";

export interface VisitorResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Time until the last byte. */
  readonly ms: number;
}

export interface VisitorRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  /** The address of the client, such as 127.9.0.1. */
  readonly localAddress?: string;
  /** Reuses connections. By default, each request opens its own. */
  readonly agent?: Agent;
  readonly timeoutMs?: number;
}

/** Sends one request and follows no redirect. Rejects after `timeoutMs` (30 s). */
export function sendRequest(
  url: string,
  {
    method = "GET",
    headers = {},
    body,
    localAddress,
    agent,
    timeoutMs = 30_000,
  }: VisitorRequest = {},
): Promise<VisitorResponse> {
  const startedMs = performance.now();
  return new Promise((resolve, reject) => {
    const request = (url.startsWith("https:") ? httpsRequest : httpRequest)(
      url,
      {
        method,
        headers: {
          "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
          ...headers,
        },
        agent: agent ?? false,
        localAddress,
        family: 4,
        signal: AbortSignal.timeout(timeoutMs),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(chunks).toString(),
            ms: performance.now() - startedMs,
          }),
        );
        response.on("error", reject);
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}

let addressCount = 0;

/**
 * Returns a new loopback address in a new /24 network on each call, because limits also count by
 * network.
 */
export function nextAddress(): string {
  addressCount += 1;
  return `127.${1 + ((addressCount >> 8) % 70)}.${addressCount & 255}.7`;
}

/**
 * Opens the login form at `origin`. Returns a function that sends it with `email` and `headers`.
 */
export async function openLoginForm(
  origin: string,
  email: string,
  localAddress = nextAddress(),
  headers: Record<string, string> = {},
): Promise<() => Promise<VisitorResponse>> {
  const page = await sendRequest(`${origin}/login`, { localAddress });
  const form = findForm(page.text, ["email"]);
  if (!form) throw new Error(`${origin}/login (${page.status}) has no form with an email field.`);
  const { body, contentType } = await encodeForm(form, { email });
  return () =>
    sendRequest(`${origin}/login`, {
      method: "POST",
      body,
      localAddress,
      headers: {
        origin,
        "content-type": contentType,
        "content-length": String(body.length),
        "sec-fetch-site": "same-origin",
        ...headers,
      },
    });
}

/**
 * Requests a login email through `origin`, a write that needs no session. Status 303 is success.
 */
export async function requestLoginEmail(origin: string, email: string): Promise<VisitorResponse> {
  return (await openLoginForm(origin, email))();
}

/**
 * Returns whether a write was temporarily refused: 503 with Retry-After, and the typed email still
 * in the form.
 */
export function isWriteRefused({ status, headers, text }: VisitorResponse, email: string): boolean {
  return (
    status === 503 &&
    Number(headers["retry-after"]) > 0 &&
    parseForms(text).some(({ fields }) =>
      fields.some(([name, value]) => name === "email" && value === email),
    )
  );
}
