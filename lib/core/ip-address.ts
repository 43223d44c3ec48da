// Parses IPv6 addresses into groups.

/**
 * Returns the eight groups of an IPv6 address, four lowercase hex digits each. A dotted IPv4 suffix
 * is converted.
 */
export function ipv6Groups(address: string): string[] {
  const v4 = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const toHex = (high: string | undefined, low: string | undefined) =>
    (Number(high) * 256 + Number(low)).toString(16);
  const hexOnly = v4
    ? `${address.slice(0, v4.index)}${toHex(v4[1], v4[2])}:${toHex(v4[3], v4[4])}`
    : address;
  const [before = "", after] = hexOnly.split("::");
  const head = before ? before.split(":") : [];
  const tail = after ? after.split(":") : [];
  const zeroCount = after === undefined ? 0 : Math.max(0, 8 - head.length - tail.length);
  return [...head, ...Array<string>(zeroCount).fill("0"), ...tail].map((group) =>
    group.toLowerCase().padStart(4, "0"),
  );
}

/**
 * Returns the IPv4 address inside an IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2), in any notation;
 * null for every other IPv6 address.
 */
export function findMappedIpv4(address: string): string | null {
  const groups = ipv6Groups(address);
  if (!groups.join(":").startsWith("0000:0000:0000:0000:0000:ffff:")) return null;
  const bytes = groups.slice(6).flatMap((group) => [group.slice(0, 2), group.slice(2)]);
  return bytes.map((byte) => Number.parseInt(byte, 16)).join(".");
}
