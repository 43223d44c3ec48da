// Distinguishes public internet addresses from private, reserved and cloud-internal ones (SSRF
// protection).

import { BlockList, isIPv4, isIPv6 } from "node:net";

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

const notPublic = new BlockList();
for (const [base, prefix] of NOT_PUBLIC_V4) notPublic.addSubnet(base, prefix, "ipv4");
for (const [base, prefix] of NOT_PUBLIC_V6) notPublic.addSubnet(base, prefix, "ipv6");
const globalUnicast = new BlockList();
globalUnicast.addSubnet("2000::", 3, "ipv6");

/**
 * Returns true for an IP address on the public internet; false for any other address, one with a
 * zone ID, and other text.
 */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !notPublic.check(address, "ipv4");
  return (
    isIPv6(address) &&
    !address.includes("%") &&
    globalUnicast.check(address, "ipv6") &&
    !notPublic.check(address, "ipv6")
  );
}
