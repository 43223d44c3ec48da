// Finds the client's address for rate limits. Ignores x-forwarded-for, which any client can set.

import { isIP } from "node:net";
import { env } from "#lib/core/env.ts";
import { currentRequestContext } from "#lib/core/request-context.ts";

const IPV4_MAPPED_PATTERN = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

function normalizeAddress(address: string | null | undefined): string | null {
  const bare = (address ?? "").trim().replace(/%.*$/, "");
  const v4 = IPV4_MAPPED_PATTERN.exec(bare)?.[1] ?? bare;
  return isIP(v4) ? v4.toLowerCase() : null;
}

/**
 * Returns the client's IP address (IPv4-mapped addresses as IPv4); null if unknown, as in tests.
 * With TRUST_PROXY=fly it comes from fly-client-ip, even on replayed requests. Otherwise it is the
 * socket's peer, so all clients behind an undeclared proxy count as one.
 */
export function getClientAddress(request: { readonly headers: Headers }): string | null {
  if (env.TRUST_PROXY === "fly") return normalizeAddress(request.headers.get("fly-client-ip"));
  return normalizeAddress(currentRequestContext()?.request.socket.remoteAddress);
}
