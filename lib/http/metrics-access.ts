// Decides who may read /metrics: a peer instance, or a client with the token.

import { env } from "#lib/core/env.ts";
import { isInternalRequest } from "#lib/core/internal-request-signature.ts";
import { isSameSecret } from "#lib/core/secret.ts";

export const METRICS_SIGNATURE_SUBJECT = "metrics";

function hasToken(authorization: string | null): boolean {
  const token = /^Bearer (\S{1,500})$/i.exec(authorization ?? "")?.[1];
  return (
    token !== undefined &&
    env.METRICS_TOKEN !== undefined &&
    env.METRICS_TOKEN.some((accepted) => isSameSecret(token, accepted))
  );
}

/**
 * Returns null if the request may read the metrics, otherwise the status to refuse it with: 401, or
 * 404 if no token is configured. The client's address doesn't count: a proxy may be on this machine.
 */
export function refuseMetrics(headers: Pick<Headers, "get">): 401 | 404 | null {
  if (isInternalRequest(headers, METRICS_SIGNATURE_SUBJECT)) return null;
  if (env.METRICS_TOKEN === undefined) return 404;
  return hasToken(headers.get("authorization")) ? null : 401;
}
