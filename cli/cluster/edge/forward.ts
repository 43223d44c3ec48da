// Forwards a request to one instance with simulated latency.

import {
  type Agent,
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as send,
} from "node:http";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { Pipe } from "#cli/cluster/pipe.ts";
import type { Instance } from "./health-checks.ts";

/** A request body: complete, or its start and a stream of the rest. */
export interface BufferedBody {
  start: Buffer;
  rest: Readable | null;
}

/**
 * "refused": no connection, so nothing was sent. "broken": the connection closed before the
 * response, and the effect is unknown. "late": no response within the deadline.
 */
export type ForwardFailure = "refused" | "broken" | "late";

export type ForwardResult =
  | { response: IncomingMessage; body: Readable; failure?: undefined }
  | { failure: ForwardFailure; message: string };

export interface ForwardOptions {
  instance: Instance;
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: BufferedBody;
  agent: Agent;
  /** One-way latency in milliseconds. */
  delayMs: number;
  /** Deadline for the response head. */
  timeoutMs: number;
  signal: AbortSignal;
}

/** Sends the request and waits for the response head. Never throws. */
export async function forwardRequest({
  instance,
  method,
  path,
  headers,
  body,
  agent,
  delayMs,
  timeoutMs,
  signal,
}: ForwardOptions): Promise<ForwardResult> {
  const openLink = { delayMs, isOpen: true };
  const pauseMs = delayMs > 0 ? delayMs : 0;
  if (pauseMs) await sleep(pauseMs);
  const result = await new Promise<ForwardResult>((resolve) => {
    let isConnected = false;
    let isLate = false;
    const request: ClientRequest = send({
      host: instance.host,
      port: instance.port,
      method,
      path,
      headers,
      agent,
      signal,
    });
    const timer = setTimeout(() => {
      isLate = true;
      request.destroy();
    }, timeoutMs);
    request.on("socket", (socket) => {
      if (!socket.connecting) isConnected = true;
      else socket.once("connect", () => (isConnected = true));
    });
    request.on("error", (error) => {
      clearTimeout(timer);
      resolve({
        failure: isLate ? "late" : isConnected ? "broken" : "refused",
        message: error.message || String((error as NodeJS.ErrnoException).code),
      });
    });
    request.on("response", (response) => {
      clearTimeout(timer);
      // From here on, errors affect the response body; ignore a late "error" of the request.
      const delayed = pauseMs ? new Pipe(() => openLink) : null;
      if (delayed) {
        response.pipe(delayed);
        response.on("error", (error) => delayed.destroy(error));
        response.on("aborted", () => delayed.destroy(new Error("aborted")));
      }
      resolve({ response, body: delayed ?? response });
    });
    if (body.start.length > 0) request.write(body.start);
    if (!body.rest) request.end();
    else {
      const rest = pauseMs ? body.rest.pipe(new Pipe(() => openLink)) : body.rest;
      rest.pipe(request);
    }
  });
  if (pauseMs) await sleep(pauseMs);
  return result;
}
