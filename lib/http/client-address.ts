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
 * Returns the client's IP address, an IPv4-mapped one as IPv4; null if unknown, as in tests.
 * TRUST_PROXY=fly reads fly-client-ip, also on replayed requests. Otherwise it is the peer's address, so an undeclared
 * proxy counts as one client.
 */
export function getClientAddress(request: { readonly headers: Headers }): string | null {
  if (env.TRUST_PROXY === "fly") return normalizeAddress(request.headers.get("fly-client-ip"));
  return normalizeAddress(currentRequestContext()?.request.socket.remoteAddress);
}
