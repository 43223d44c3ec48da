// What the outside is to us: which URLs may be asked for, and which address a name stands for.

import { Resolver, lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { AppError } from "#lib/core/errors.ts";
import { isPublicAddress } from "./public-address.ts";

export interface ResolvedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Where requests may go. The site has one, made from its configuration; tests make their own. */
export interface NetworkPolicy {
  /** Exact `host:port` pairs that are allowed although they are private or on another port. */
  readonly allowedPrivateHosts: readonly string[];
  /** DNS servers (`address` or `address:port`) to ask instead of the machine's. */
  readonly dnsServers?: readonly string[];
}

/** Names that never mean a public host: this machine, its local network, Fly's private network. */
const PRIVATE_HOST_NAMES =
  /(^|\.)(localhost|internal|flycast|local|localdomain|lan|home\.arpa|onion)$/;

/** Patience with one DNS server, in milliseconds; the request's own deadline ends the look-up in any case. */
const DNS_TIMEOUT_MS = 2_000;
/** Some servers swallow questions for IPv6 addresses; a host with an IPv4 address must not pay for that. */
const DNS_V6_TIMEOUT_MS = 1_000;

export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
}

export function portOf(url: URL): number {
  return url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
}

/** True where the configuration names this host and port. */
export function isAllowedPrivate(network: NetworkPolicy, host: string, port: number): boolean {
  const pair = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  return network.allowedPrivateHosts.some((allowed) => allowed.toLowerCase() === pair);
}

/**
 * The URL, if it may be asked for as far as its text tells; what a name stands for is checked when
 * connecting. Throws AppError(invalid) with the reason otherwise.
 */
export function parseFetchableUrl(text: string | URL, network: NetworkPolicy): URL {
  const refuse = (reason: string) => new AppError("invalid", reason, { field: "url" });
  if (!URL.canParse(String(text))) throw refuse("This is not a URL.");
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw refuse("Only http and https URLs can be fetched.");
  if (url.username !== "" || url.password !== "")
    throw refuse("A URL with a user name or password is not fetched.");
  const host = hostOf(url);
  const port = portOf(url);
  if (isAllowedPrivate(network, host, port)) return url;
  if (port !== 80 && port !== 443) throw refuse("Only the ports 80 and 443 can be fetched.");
  if (isIP(host) !== 0) {
    if (!isPublicAddress(host)) throw refuse(`${host} is not a public address.`);
  } else if (PRIVATE_HOST_NAMES.test(host) || !host.includes(".")) {
    throw refuse(`${host} is not a public host name.`);
  }
  return url;
}

/** True if `checkUrl` would let the URL pass. */
export function isFetchable(text: string, network: NetworkPolicy): boolean {
  try {
    parseFetchableUrl(text, network);
    return true;
  } catch {
    return false;
  }
}

async function queryDns(
  host: string,
  signal: AbortSignal,
  servers: readonly string[] | undefined,
): Promise<ResolvedAddress[]> {
  // Not getaddrinfo: it can't be cancelled, and a name server that hangs would hold Node's few file threads.
  const four = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: 2 });
  const six = new Resolver({ timeout: DNS_V6_TIMEOUT_MS, tries: 1 });
  if (servers) for (const resolver of [four, six]) resolver.setServers(servers);
  const cancel = () => {
    four.cancel();
    six.cancel();
  };
  signal.addEventListener("abort", cancel, { once: true });
  try {
    const [v4, v6] = await Promise.allSettled([four.resolve4(host), six.resolve6(host)]);
    signal.throwIfAborted();
    if (v4.status === "rejected" && v6.status === "rejected") throw v4.reason;
    return [
      ...(v6.status === "fulfilled" ? v6.value : []).map((address) => ({
        address,
        family: 6 as const,
      })),
      ...(v4.status === "fulfilled" ? v4.value : []).map((address) => ({
        address,
        family: 4 as const,
      })),
    ];
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

/**
 * The addresses to connect to, each one checked: connect to these and to nothing else. One private
 * address among them refuses the host. Throws AppError: invalid (not public), unavailable (unknown name).
 */
export async function resolveHost(
  host: string,
  port: number,
  network: NetworkPolicy,
  signal: AbortSignal,
): Promise<ResolvedAddress[]> {
  const trusted = isAllowedPrivate(network, host, port);
  const family = isIP(host);
  let found: ResolvedAddress[];
  if (family !== 0) {
    found = [{ address: host, family: family as 4 | 6 }];
  } else {
    try {
      // A name that the operator has listed may stand in the hosts file, which only getaddrinfo reads.
      found = trusted
        ? (await lookup(host, { all: true })).map(({ address, family }) => ({
            address,
            family: family as 4 | 6,
          }))
        : await queryDns(host, signal, network.dnsServers);
    } catch (error) {
      signal.throwIfAborted();
      const unknown = ["ENOTFOUND", "ENODATA"].includes(
        (error as NodeJS.ErrnoException).code ?? "",
      );
      throw new AppError(
        "unavailable",
        unknown
          ? `The host name ${host} is not known.`
          : `The host name ${host} could not be looked up.`,
        {
          cause: error,
        },
      );
    }
  }
  if (found.length === 0) throw new AppError("unavailable", `The host name ${host} is not known.`);
  if (!trusted && !found.every(({ address }) => isPublicAddress(address))) {
    throw new AppError("invalid", `${host} is not a public host.`, { field: "url" });
  }
  return found;
}
