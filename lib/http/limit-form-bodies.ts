// Bounds the memory of request bodies: limits the number of concurrent forms and their duration,
// and drops other bodies.

import { env } from "#lib/core/env.ts";
import { Semaphore } from "#lib/core/semaphore.ts";
import type { PipelineContext } from "./pipeline-context.ts";

/**
 * Deadline from the head to the end of the body, against slow POST (slow-body, Slowloris-like)
 * attacks.
 */
const FORM_TIMEOUT_MS = 20_000;
/**
 * Maximum concurrent form bodies (1 MB each), in total and per client if Fly's proxy names the
 * client.
 */
const MAX_CONCURRENT_FORMS = 64;
const MAX_FORMS_PER_CLIENT = 16;
/** Empty, because the connection is closed without a response. */
const REFUSAL = { perKeyMessage: "", totalMessage: "", retryAfterSeconds: 0 };

const forms = new Semaphore(MAX_CONCURRENT_FORMS, MAX_FORMS_PER_CLIENT);
let unnamedClients = 0;

/**
 * Pipeline step. Destroys a form's request beyond the limits, or if its body takes longer than
 * FORM_TIMEOUT_MS.
 */
export function limitFormBody({ bodyReader, request }: PipelineContext): void {
  if (bodyReader !== "action" || request.headers["content-length"] === "0") return;
  let release: () => void;
  try {
    release = forms.acquire(nameClient(request.headers["fly-client-ip"]), REFUSAL);
  } catch {
    request.destroy();
    return;
  }
  const timer = setTimeout(() => request.destroy(), FORM_TIMEOUT_MS);
  const finish = () => {
    clearTimeout(timer);
    release();
  };
  request.once("end", finish).once("close", finish);
}

/** Without a proxy that names clients, each request counts as its own client. */
function nameClient(flyClientIp: string | string[] | undefined): string {
  return env.TRUST_PROXY === "fly" && flyClientIp
    ? String(flyClientIp)
    : `unnamed ${(unnamedClients += 1)}`;
}

/**
 * Pipeline step. Turns a request whose body no handler reads into a GET, because Next would buffer
 * the body.
 */
export function dropUnreadBody({ bodyReader, request }: PipelineContext): void {
  const { headers, method } = request;
  if (bodyReader !== "none" || method === "GET" || method === "HEAD") return;
  if (headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined)
    request.method = "GET";
}
