// Buffers request bodies within limits of memory and time. A handler starts when its body is complete.

import { AsyncLocalStorage } from "node:async_hooks";
import { peekSingleton, singleton } from "#lib/core/singleton.ts";
import { hasBody } from "./body-limits.ts";
import { readClientAddress } from "./client-address.ts";
import { clientKey } from "./client-key.ts";
import { parseCookies } from "./cookie-header.ts";
import type { PipelineContext } from "./pipeline-context.ts";
import { refuseRequest } from "./refuse-request.ts";

/** From the head to the end of a body, against slow POST (slow-body, Slowloris-like) attacks. */
const BODY_TIMEOUT_MS = 10_000;
/** Maximum concurrent bodies (up to 1 MB each), in total and per client. */
const MAX_BUFFERED_BODIES = 64;
const MAX_BUFFERED_BODIES_PER_CLIENT = 16;
/** A body that takes longer than this may be evicted in favor of a new one. */
const MIN_EVICTION_AGE_MS = 1_000;

interface BufferedBody {
  readonly client: string;
  readonly startedMs: number;
  readonly receivedBytes: () => number;
  readonly refuse: (status: number, message: string, retryAfterSeconds?: number) => void;
}

const bufferedBodies = new Set<BufferedBody>();

type AdminCheck = (findCookie: (name: string) => string | undefined) => Promise<boolean>;

/** Sets the function that resolves to whether a request's cookies are an admin's. */
export function provideAdminCheck(check: AdminCheck): void {
  singleton("admin-check", () => check);
}

async function isFromAdmin({ request: { headers } }: PipelineContext): Promise<boolean> {
  const cookies = parseCookies(headers.cookie ?? "");
  return (await peekSingleton<AdminCheck>("admin-check")?.((name) => cookies.get(name))) ?? false;
}

/**
 * Pipeline step. Turns a request whose body no one reads into a GET, because Next would buffer the
 * body.
 */
export function dropUnreadBody({ bodyLimit, request }: PipelineContext): void {
  const { headers, method } = request;
  if (bodyLimit === "unread" && method !== "GET" && method !== "HEAD" && hasBody(headers))
    request.method = "GET";
}

/**
 * Last step. Calls `handle` when the request's body is complete. Refuses a body that is larger than
 * its route needs (413), takes too long (408), or is the slowest of too many (429 or 503).
 */
export function bufferBody(context: PipelineContext, handle: () => void): void {
  const { bodyLimit, request } = context;
  if (bodyLimit === "streamed" || bodyLimit === "unread" || !hasBody(request.headers))
    return handle();
  const { adminMaxBytes, requiredHeader } = bodyLimit;
  const maxBytes = adminMaxBytes ?? bodyLimit.maxBytes;
  if (requiredHeader && request.headers[requiredHeader.name] === undefined)
    return refuseRequest(
      context,
      requiredHeader.status,
      requiredHeader.message,
      requiredHeader.headers,
    );
  const tooLarge = `The body is larger than ${bodyLimit.maxBytes} bytes.`;
  if (Number(request.headers["content-length"]) > maxBytes)
    return refuseRequest(context, 413, tooLarge);

  const body: BufferedBody = {
    client: clientKey(readClientAddress(request)),
    startedMs: context.startedMs,
    receivedBytes: () => request.receivedBytes,
    refuse(status, message, retryAfterSeconds) {
      release();
      refuseRequest(
        context,
        status,
        message,
        retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) },
      );
    },
  };
  const timer = setTimeout(() => body.refuse(408, "The body took too long."), BODY_TIMEOUT_MS);
  const release = () => {
    clearTimeout(timer);
    bufferedBodies.delete(body);
  };
  request.once("close", release);
  request.bufferBody({
    maxBytes,
    onTooLarge: () => body.refuse(413, tooLarge),
    // Bound, because the end of the body is an event of the connection, without this context.
    onComplete: AsyncLocalStorage.bind(() => {
      release();
      const deliver = () => {
        request.deliverBody();
        handle();
      };
      if (request.receivedBytes <= bodyLimit.maxBytes) return deliver();
      void isFromAdmin(context)
        .catch(() => false)
        .then((isAdmin) => (isAdmin ? deliver() : body.refuse(413, tooLarge)));
    }),
  });
  makeRoom(body);
}

/** Adds `newcomer`, in place of the slowest body if there are too many, or refuses it. */
function makeRoom(newcomer: BufferedBody): void {
  const refuseSlowest = (bodies: readonly BufferedBody[], status: number, message: string) => {
    const refused = findSlowest(bodies) ?? newcomer;
    refused.refuse(status, message, 1);
    return refused !== newcomer;
  };
  const ofClient = [...bufferedBodies].filter(({ client }) => client === newcomer.client);
  if (
    ofClient.length >= MAX_BUFFERED_BODIES_PER_CLIENT &&
    !refuseSlowest(ofClient, 429, "Too many requests at the same time. Please try again.")
  )
    return;
  if (
    bufferedBodies.size >= MAX_BUFFERED_BODIES &&
    !refuseSlowest([...bufferedBodies], 503, "The site is busy. Please try again in a moment.")
  )
    return;
  bufferedBodies.add(newcomer);
}

/** Returns the body with the lowest rate among those old enough to be evicted. */
function findSlowest(bodies: readonly BufferedBody[]): BufferedBody | undefined {
  const nowMs = performance.now();
  const rate = ({ receivedBytes, startedMs }: BufferedBody) =>
    receivedBytes() / (nowMs - startedMs);
  return bodies
    .filter(({ startedMs }) => nowMs - startedMs >= MIN_EVICTION_AGE_MS)
    .toSorted((a, b) => rate(a) - rate(b))[0];
}
