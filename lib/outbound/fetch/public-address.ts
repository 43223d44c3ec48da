// Distinguishes public internet addresses from private, reserved and cloud-internal ones (SSRF
// protection).

import { isIPv4, isIPv6 } from "node:net";
import { ipv4ToBits, ipv6ToBits } from "#lib/core/ip-address.ts";

/** IANA special-purpose blocks, multicast, reserved space, and Azure's host service. */
const NOT_PUBLIC_V4: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["168.63.129.16", 32], // Azure's host service
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
];

/**
 * Blocks inside 2000::/3 that are not public: protocol assignments (Teredo), documentation, 6to4.
 * Everything outside 2000::/3 is refused: loopback, IPv4-mapped, NAT64, unique local (Fly's 6PN),
 * link-local and multicast.
 */
const NOT_PUBLIC_V6: readonly (readonly [string, number])[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];

function isInSubnet(bits: bigint, width: number, base: bigint, prefix: number): boolean {
  const shift = BigInt(width - prefix);
  return bits >> shift === base >> shift;
}

const blocksV4 = NOT_PUBLIC_V4.map(([base, prefix]) => [ipv4ToBits(base), prefix] as const);
const blocksV6 = NOT_PUBLIC_V6.map(([base, prefix]) => [ipv6ToBits(base), prefix] as const);
const GLOBAL_UNICAST_V6 = ipv6ToBits("2000::");

/**
 * Returns true for an IP address on the public internet; false for any other address, one with a
 * zone ID, and other text.
 */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) {
    const bits = ipv4ToBits(address);
    return !blocksV4.some(([base, prefix]) => isInSubnet(bits, 32, base, prefix));
  }
  if (!isIPv6(address) || address.includes("%")) return false;
  const bits = ipv6ToBits(address);
  return (
    isInSubnet(bits, 128, GLOBAL_UNICAST_V6, 3) &&
    !blocksV6.some(([base, prefix]) => isInSubnet(bits, 128, base, prefix))
  );
}
