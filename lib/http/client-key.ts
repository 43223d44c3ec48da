// What limits count as one client, and as one network.

import { isIPv4 } from "node:net";

/** The eight groups of an IPv6 address. */
function ipv6Groups(address: string): string[] {
  const v4 = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const hex = (high: string | undefined, low: string | undefined) =>
    (Number(high) * 256 + Number(low)).toString(16);
  const whole = v4
    ? `${address.slice(0, v4.index)}${hex(v4[1], v4[2])}:${hex(v4[3], v4[4])}`
    : address;
  const [before = "", after] = whole.split("::");
  const head = before ? before.split(":") : [];
  const tail = after ? after.split(":") : [];
  const zeros = after === undefined ? 0 : 8 - head.length - tail.length;
  return [...head, ...Array<string>(Math.max(zeros, 0)).fill("0"), ...tail].map((group) =>
    group.toLowerCase().padStart(4, "0"),
  );
}

/** One client: an IPv4 address, or the /64 of an IPv6 one, since each client has a whole /64 to choose from. */
export function clientKey(address: string): string {
  return isIPv4(address) ? address : `${ipv6Groups(address).slice(0, 4).join(":")}::/64`;
}

/** One network: the /24 of an IPv4 address, the /56 of an IPv6 one, which is what a household gets. */
export function subnetKey(address: string): string {
  if (isIPv4(address)) return `${address.slice(0, address.lastIndexOf("."))}.0/24`;
  const [a, b, c, d = ""] = ipv6Groups(address);
  return `${a}:${b}:${c}:${d.slice(0, 2)}00::/56`;
}
