// Maps IP addresses to the client and subnet keys of rate limits.

import { isIPv4 } from "node:net";
import { ipv6Groups } from "#lib/core/ip-address.ts";

/** Clients with an unknown address share one key. */
const UNKNOWN = "unknown";

/**
 * Returns an IPv4 address unchanged, or the /64 of an IPv6 address, because a client usually has a
 * whole /64.
 */
export function clientKey(address: string | null): string {
  if (address === null) return UNKNOWN;
  return isIPv4(address) ? address : `${ipv6Groups(address).slice(0, 4).join(":")}::/64`;
}

/**
 * Returns the /24 of an IPv4 address, or the /56 of an IPv6 address, the usual allocation for a
 * household.
 */
export function subnetKey(address: string | null): string {
  if (address === null) return UNKNOWN;
  if (isIPv4(address)) return `${address.slice(0, address.lastIndexOf("."))}.0/24`;
  const [a, b, c, d = ""] = ipv6Groups(address);
  return `${a}:${b}:${c}:${d.slice(0, 2)}00::/56`;
}
