// Who may read the metrics: another instance, who knows the token, or somebody on this very machine.

import { createHash, timingSafeEqual } from "node:crypto";
import { env } from "#lib/core/env.ts";
import { isInternalRequest } from "#lib/core/internal-request-signature.ts";
import type { RequestContext } from "#lib/core/request-context.ts";

/** What the signature of another instance's call is about. */
export const METRICS_SIGNATURE_SUBJECT = "metrics";

const LOOPBACK_ADDRESS = /^(::ffff:)?127\.\d+\.\d+\.\d+$|^::1$/;
/** What a proxy adds. Read as it came: Next writes some of these itself. */
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
 * Behind a proxy everybody comes from its address, so that of the connection counts only where none is in front and none is seen.
 * Fly's proxy always adds its headers: a request without them comes from the private network, as that of Fly's own Prometheus does.
 */
function isFromLocalNetwork(context: RequestContext | undefined): boolean {
  if (!context) return false;
  const { socket, rawHeaders } = context.request;
  if (rawHeaders.some((name, i) => i % 2 === 0 && FORWARDING_HEADER.test(name))) return false;
  return env.TRUST_PROXY === "fly" || LOOPBACK_ADDRESS.test(socket.remoteAddress ?? "");
}

/** Whether this request may read the metrics. `context` is the raw request behind it. */
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
