// Somebody at an address of their own who reads and writes without scripts: a write is a log-in mail asked for, which anybody can.
// Limits count by address; a loopback address of one's own makes tests strangers to each other.

import { request } from "node:http";
import { parseForms } from "#tests/support/no-js-browser.ts";

export interface VisitorResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** Until the last byte. */
  readonly ms: number;
}

export interface VisitorRequest {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: Buffer;
  /** Where the connection comes from, such as 127.9.0.1. */
  readonly localAddress?: string;
  readonly timeoutMs?: number;
}

/** One request on a connection of its own; redirects are not followed. Rejects when it takes longer than `timeoutMs` (30 s). */
export function sendRequest(
  url: string,
  { method = "GET", headers = {}, body, localAddress, timeoutMs = 30_000 }: VisitorRequest = {},
): Promise<VisitorResponse> {
  const startedMs = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        method,
        headers: { "user-agent": "Mozilla/5.0", ...headers },
        agent: false,
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
    sent.on("error", reject);
    sent.end(body);
  });
}

let addressCount = 0;

/** Another address at each call. */
export function nextAddress(): string {
  addressCount += 1;
  // Networks of their own, too: a network has limits as a client has.
  return `127.9.${addressCount % 250}.${1 + Math.floor(addressCount / 250)}`;
}

/** The log-in form as `origin` serves it, with `email` typed, ready to be sent, `headers` with it. */
export async function openLoginForm(
  origin: string,
  email: string,
  from = nextAddress(),
  headers: Record<string, string> = {},
): Promise<() => Promise<VisitorResponse>> {
  const page = await sendRequest(`${origin}/login`, { localAddress: from });
  const form = parseForms(page.text).find(({ editableNames }) => editableNames.includes("email"));
  if (!form) throw new Error(`${origin}/login (${page.status}) has no form for an address`);
  const data = new FormData();
  for (const [name, value] of form.fields) if (name !== "email") data.append(name, value);
  data.append("email", email);
  const encoded = new Response(data);
  const body = Buffer.from(await encoded.arrayBuffer());
  const type = encoded.headers.get("content-type")!;
  return () =>
    sendRequest(`${origin}/login`, {
      method: "POST",
      body,
      localAddress: from,
      headers: {
        origin,
        "content-type": type,
        "content-length": String(body.length),
        "sec-fetch-site": "same-origin",
        ...headers,
      },
    });
}

/** Asks for a log-in mail to `email` through `origin`. 303 is done. */
export async function requestLoginEmail(origin: string, email: string): Promise<VisitorResponse> {
  return (await openLoginForm(origin, email))();
}

/** The answer to a write where nobody may write just now: 503 that says when to try again, with what was typed. */
export function isWriteRefused({ status, headers, text }: VisitorResponse, email: string): boolean {
  return (
    status === 503 &&
    Number(headers["retry-after"]) > 0 &&
    parseForms(text).some(({ fields }) =>
      fields.some(([name, value]) => name === "email" && value === email),
    )
  );
}
