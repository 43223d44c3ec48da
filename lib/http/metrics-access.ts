// Decides who may read /metrics: a peer instance, a client with the token, or this machine.

import { createHash, timingSafeEqual } from "node:crypto";
import { env } from "#lib/core/env.ts";
import { isInternalRequest } from "#lib/core/internal-request-signature.ts";
import type { RequestContext } from "#lib/core/request-context.ts";

export const METRICS_SIGNATURE_SUBJECT = "metrics";

const LOOPBACK_ADDRESS = /^(::ffff:)?127\.\d+\.\d+\.\d+$|^::1$/;
/** Headers added by proxies. Checked in the raw headers, because Next adds some of these itself. */
const FORWARDING_HEADER =
  /^(forwarded|via|x-forwarded-.+|x-real-ip|.+-client-ip|.+-connecting-ip)$/i;

const digest = (text: string) => createHash("sha256").update(text).digest();

function hasToken(authorization: string | null): boolean {
  const token = /^Bearer (\S{1,500})$/i.exec(authorization ?? "")?.[1];
  return (
    env.METRICS_TOKEN !== undefined &&
    token !== undefined &&
    timingSafeEqual(digest(token), digest(env.METRICS_TOKEN))
  );
}

/**
 * Returns true if the request passed no proxy and comes from this machine. On Fly, whose proxy
 * always adds headers, a request without them comes from the private network, for example from
 * Fly's Prometheus.
 */
function isFromLocalNetwork(context: RequestContext | undefined): boolean {
  if (!context) return false;
  const { socket, rawHeaders } = context.request;
  if (rawHeaders.some((name, i) => i % 2 === 0 && FORWARDING_HEADER.test(name))) return false;
  return env.TRUST_PROXY === "fly" || LOOPBACK_ADDRESS.test(socket.remoteAddress ?? "");
}

export function canReadMetrics(
  headers: Pick<Headers, "get">,
  context: RequestContext | undefined,
): boolean {
  return (
    isInternalRequest(headers, METRICS_SIGNATURE_SUBJECT) ||
    hasToken(headers.get("authorization")) ||
    isFromLocalNetwork(context)
  );
}
