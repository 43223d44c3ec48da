// Finds the client's address for rate limits.

import type { IncomingMessage } from "node:http";
import { isIPv4, isIPv6 } from "node:net";
import { env } from "#lib/core/env.ts";
import { findMappedIpv4 } from "#lib/core/ip-address.ts";
import { currentRequestContext } from "#lib/core/request-context.ts";
import type { TrustProxy } from "#lib/core/trust-proxy.ts";
import type { HeaderReader } from "./direct-request.ts";
import { rawHeader } from "./forwarding-headers.ts";

function normalizeAddress(address: string | null | undefined): string | null {
  const bare = (address ?? "").trim().replace(/%.*$/, "");
  if (isIPv4(bare)) return bare;
  return isIPv6(bare) ? (findMappedIpv4(bare) ?? bare.toLowerCase()) : null;
}

/** Returns the IP address of a node, such as `192.0.2.1:80` or `"[2001:db8::1]:80"`, or null. */
function parseNode(text: string): string | null {
  const node = text.trim().replace(/^"(.*)"$/, "$1");
  return normalizeAddress(
    /^\[([^\]]*)\](:\d+)?$/.exec(node)?.[1] ?? /^(\d+(?:\.\d+){3}):\d+$/.exec(node)?.[1] ?? node,
  );
}

/** Returns the `for` node of one element of Forwarded (RFC 7239, section 4); "" if missing. */
const forNode = (element: string) => /(?:^|;)\s*for=([^;]*)/i.exec(element)?.[1] ?? "";

/** Returns true if the proxy at `address`, `index` hops beyond the peer, may name its client. */
function isTrusted(trust: TrustProxy, address: string, index: number): boolean {
  if (typeof trust === "number") return index < trust;
  return typeof trust === "object" && trust.check(address, isIPv4(address) ? "ipv4" : "ipv6");
}

/**
 * Returns the client's address: reads the header from right to left, from the server toward the
 * client, as long as proxies are trusted. Stops at an unknown node. Anything further left may be
 * forged.
 */
function walk(trust: TrustProxy, peer: string, nodes: readonly string[]): string {
  let client = peer;
  for (let index = 0; index < nodes.length && isTrusted(trust, client, index); index++) {
    const next = parseNode(nodes[nodes.length - 1 - index]!);
    if (next === null) break;
    client = next;
  }
  return client;
}

/**
 * Returns the address of the client that sent `request` (IPv4-mapped addresses as IPv4); null if
 * unknown. It is the socket's peer, unless TRUST_PROXY trusts the peer to name another address. If
 * Forwarded and X-Forwarded-For name different clients, one is forged, so it returns the peer.
 */
export function readClientAddress(request: IncomingMessage): string | null {
  const trust = env.TRUST_PROXY;
  if (trust === "fly") return normalizeAddress(rawHeader(request, "fly-client-ip"));
  const peer = normalizeAddress(request.socket.remoteAddress);
  if (trust === "none" || peer === null) return peer;
  const forwarded = rawHeader(request, "forwarded")?.split(",").map(forNode);
  const forwardedFor = rawHeader(request, "x-forwarded-for")?.split(",");
  const clients = [forwarded, forwardedFor].map((nodes) => nodes && walk(trust, peer, nodes));
  const [first = peer, second = first] = clients.filter((client) => client !== undefined);
  return first === second ? first : peer;
}

/**
 * Returns the address of the client that sent `request`; null if unknown, as in tests. With
 * TRUST_PROXY=fly it comes from fly-client-ip, even on replayed requests.
 */
export function findClientAddress(request: { readonly headers: HeaderReader }): string | null {
  if (env.TRUST_PROXY === "fly") return normalizeAddress(request.headers.get("fly-client-ip"));
  const context = currentRequestContext();
  return context ? readClientAddress(context.request) : null;
}
