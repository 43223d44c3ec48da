// One attempt: a request to one instance, over a way of simulated length, and what came of it.

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

/** The body of a request: the whole of it, or what came of it so far with the rest to come. */
export interface BufferedBody {
  start: Buffer;
  rest: Readable | null;
}

/**
 * refused: no connection, so nothing was sent. broken: the connection ended before a byte of the answer, and nobody knows
 * what the instance did. late: nothing came within the deadline.
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
  /** One way, in milliseconds. */
  delayMs: number;
  /** Until the head of the answer is there. */
  timeoutMs: number;
  signal: AbortSignal;
}

/** Sends it and waits for the head of the answer; never throws. */
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
  const open = { delayMs, isOpen: true };
  const pauseMs = delayMs > 0 ? delayMs : 0;
  if (pauseMs) await sleep(pauseMs);
  const answer = await new Promise<ForwardResult>((resolve) => {
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
      // From here its errors are its body's; the request's own "error" may follow a broken upload and tells no more.
      const wire = pauseMs ? new Pipe(() => open) : null;
      if (wire) {
        response.pipe(wire);
        response.on("error", (error) => wire.destroy(error));
        response.on("aborted", () => wire.destroy(new Error("aborted")));
      }
      resolve({ response, body: wire ?? response });
    });
    if (body.start.length > 0) request.write(body.start);
    if (!body.rest) request.end();
    else {
      const rest = pauseMs ? body.rest.pipe(new Pipe(() => open)) : body.rest;
      rest.pipe(request);
    }
  });
  if (pauseMs) await sleep(pauseMs);
  return answer;
}
