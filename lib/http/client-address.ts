// Where a request comes from, for limits. Never from x-forwarded-for, which anybody can write.

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
 * The client's IP address, an IPv4-mapped one as IPv4; null where none is known, as in a test.
 * With TRUST_PROXY=fly it is what Fly's proxy says in fly-client-ip (also the case on a replayed request),
 * otherwise the other end of the connection: a proxy that we are not told of then counts as one client.
 */
export function getClientAddress(request: { readonly headers: Headers }): string | null {
  if (env.TRUST_PROXY === "fly") return normalizeAddress(request.headers.get("fly-client-ip"));
  return normalizeAddress(currentRequestContext()?.request.socket.remoteAddress);
}
