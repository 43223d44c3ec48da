// Bounds the memory that request bodies take: how many forms arrive at a time, how long each may take, and no other bodies.

import { env } from "#lib/core/env.ts";
import { Semaphore } from "#lib/core/semaphore.ts";
import type { PipelineContext } from "./pipeline-context.ts";

/** From the head to the end of the body. Protects against slow-body attacks. */
const FORM_TIMEOUT_MS = 20_000;
/** Maximum concurrent form bodies (1 MB each), and of one client where Fly's proxy names it. */
const MAX_CONCURRENT_FORMS = 64;
const MAX_FORMS_PER_CLIENT = 16;
/** Nobody reads it: the connection is closed. */
const REFUSAL = { perKeyMessage: "", totalMessage: "", retryAfterSeconds: 0 };

const forms = new Semaphore(MAX_CONCURRENT_FORMS, MAX_FORMS_PER_CLIENT);
let unnamedClients = 0;

/** Pipeline step. Destroys a form's request beyond the limits, or if its body does not end within 20 seconds. */
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

/** Without a proxy that names them, clients can't be told apart: each request counts as one. */
function nameClient(flyClientIp: string | string[] | undefined): string {
  return env.TRUST_PROXY === "fly" && flyClientIp
    ? String(flyClientIp)
    : `unnamed ${(unnamedClients += 1)}`;
}

/** Pipeline step. Makes a GET of a request whose body no handler reads: Next would buffer it first. */
export function dropUnreadBody({ bodyReader, request }: PipelineContext): void {
  const { headers, method } = request;
  if (bodyReader !== "none" || method === "GET" || method === "HEAD") return;
  if (headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined)
    request.method = "GET";
}
