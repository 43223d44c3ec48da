// Parses TRUST_PROXY, which says whose headers may name the client's address.

import { BlockList, isIP } from "node:net";
import { z } from "zod";

/** The trusted proxies: none, Fly's, a number of them, or those in these networks. */
export type TrustProxy = "none" | "fly" | number | BlockList;

const HINT =
  "must be none, fly, a number of proxies from 1 to 10, or networks such as 127.0.0.1,10.0.0.0/8";

/** Adds a network or address, such as "10.0.0.0/8" or "::1". Returns false if it is malformed. */
function addNetwork(networks: BlockList, text: string): boolean {
  const [, address = "", prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  const bits = version === 4 ? 32 : 128;
  const length = Number(prefix ?? bits);
  // A prefix length of zero would trust everyone.
  if (version === 0 || length < 1 || length > bits) return false;
  networks.addSubnet(address, length, version === 4 ? "ipv4" : "ipv6");
  return true;
}

/** Returns the setting in `text`, or undefined if it is malformed. */
function parseTrustProxy(text: string): TrustProxy | undefined {
  if (text === "none" || text === "fly") return text;
  if (/^\d+$/.test(text)) return Number(text) >= 1 && Number(text) <= 10 ? Number(text) : undefined;
  const networks = new BlockList();
  const isValid = text.split(",").every((each) => addNetwork(networks, each.trim()));
  return isValid ? networks : undefined;
}

export const trustProxySchema = z
  .string()
  .default("none")
  .transform((text, context): TrustProxy => {
    const parsed = parseTrustProxy(text.trim());
    if (parsed === undefined) context.addIssue({ code: "custom", message: HINT });
    return parsed ?? "none";
  });
