// Which addresses are the public internet, and which are ours, our host's or nobody's.

import { isIPv4, isIPv6 } from "node:net";

/** IPv4 blocks that are not the public internet: IANA special-purpose registry, multicast, reserved space, and one host service. */
const NOT_PUBLIC_V4: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["168.63.129.16", 32], // looks public, but is the host service of Azure
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
 * IPv6 blocks inside 2000::/3 that are not the public internet: protocol assignments with Teredo,
 * documentation, 6to4. Everything outside 2000::/3 is refused without a list: loopback, v4-mapped,
 * NAT64, unique local (Fly's 6PN), link-local, multicast.
 */
const NOT_PUBLIC_V6: readonly (readonly [string, number])[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];

function ipv4ToBits(address: string): bigint {
  return address.split(".").reduce((bits, part) => (bits << 8n) | BigInt(part), 0n);
}

function ipv6ToBits(address: string): bigint {
  // The URL parser writes every spelling, also one with a dotted tail, as hexadecimal groups.
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = "", tail] = canonical.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  return [...before, ...zeros, ...after].reduce(
    (bits, group) => (bits << 16n) | BigInt(`0x${group}`),
    0n,
  );
}

function isInSubnet(bits: bigint, width: number, base: bigint, prefix: number): boolean {
  const shift = BigInt(width - prefix);
  return bits >> shift === base >> shift;
}

const blocksV4 = NOT_PUBLIC_V4.map(([base, prefix]) => [ipv4ToBits(base), prefix] as const);
const blocksV6 = NOT_PUBLIC_V6.map(([base, prefix]) => [ipv6ToBits(base), prefix] as const);
const GLOBAL_UNICAST_V6 = ipv6ToBits("2000::");

/**
 * True for an IP address on the public internet. False for anything else: loopback, private,
 * link-local, carrier NAT, multicast, reserved, v4-mapped, NAT64, 6to4, an address with a zone id,
 * and text that is no address.
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
