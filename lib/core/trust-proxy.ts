// Parses TRUST_PROXY: which proxies may name the client in a request's headers.

import { BlockList, isIP } from "node:net";
import { z } from "zod";

/** Clients are named by no one, by Fly's proxy, by a number of proxies, or by these networks. */
export type TrustProxy = "none" | "fly" | number | BlockList;

const HINT =
  "must be none, fly, a number of proxies from 1 to 10, or networks such as 127.0.0.1,10.0.0.0/8";

/** Adds "10.0.0.0/8" or "::1" to `networks`; returns false if it is malformed. */
function addNetwork(networks: BlockList, text: string): boolean {
  const [, address = "", prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  const bits = version === 4 ? 32 : 128;
  const length = Number(prefix ?? bits);
  // A prefix of zero would trust everyone.
  if (version === 0 || length < 1 || length > bits) return false;
  networks.addSubnet(address, length, version === 4 ? "ipv4" : "ipv6");
  return true;
}

/** Returns undefined if `text` is malformed. */
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
