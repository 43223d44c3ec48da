// Decides which URLs and addresses the guarded fetch may reach (SSRF protection).

import { Resolver, lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { AppError } from "#lib/core/errors.ts";
import { isPublicAddress } from "./public-address.ts";

interface ResolvedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

export interface NetworkPolicy {
  /** Exact `host:port` pairs that are allowed even with a private address or a different port. */
  readonly allowedPrivateHosts: readonly string[];
  /** DNS servers (`address` or `address:port`) to use instead of the system's. */
  readonly dnsServers?: readonly string[];
}

/** Hostnames of this machine, local networks and Fly's private network. */
const PRIVATE_HOST_NAMES =
  /(^|\.)(localhost|internal|flycast|local|localdomain|lan|home\.arpa|onion)$/;

/** Timeout per DNS server; the request's deadline also applies. */
const DNS_TIMEOUT_MS = 2_000;
/** Shorter, because some servers drop AAAA queries, which must not delay IPv4 hosts. */
const DNS_V6_TIMEOUT_MS = 1_000;

export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
}

function portOf(url: URL): number {
  return url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
}

/** Returns true if the policy lists this host and port. */
export function isAllowedPrivate(network: NetworkPolicy, host: string, port: number): boolean {
  const pair = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  return network.allowedPrivateHosts.some((allowed) => allowed.toLowerCase() === pair);
}

/**
 * Returns the parsed URL. Throws AppError(invalid) with the reason if it is forbidden. IP addresses
 * of hostnames are checked when connecting.
 */
export function parseFetchableUrl(text: string | URL, network: NetworkPolicy): URL {
  const refuse = (reason: string) => new AppError("invalid", reason, { field: "url" });
  if (!URL.canParse(String(text))) throw refuse("This is not a URL.");
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw refuse("Only http and https URLs can be fetched.");
  if (url.username !== "" || url.password !== "")
    throw refuse("URLs with a username or password can't be fetched.");
  const host = hostOf(url);
  const port = portOf(url);
  if (isAllowedPrivate(network, host, port)) return url;
  if (port !== 80 && port !== 443) throw refuse("Only ports 80 and 443 can be fetched.");
  if (isIP(host) !== 0) {
    if (!isPublicAddress(host)) throw refuse(`${host} is not a public address.`);
  } else if (PRIVATE_HOST_NAMES.test(host) || !host.includes(".")) {
    throw refuse(`${host} is not a public hostname.`);
  }
  return url;
}

async function queryDns(
  host: string,
  signal: AbortSignal,
  servers: readonly string[] | undefined,
): Promise<ResolvedAddress[]> {
  // Not getaddrinfo: it can't be canceled, and a hanging DNS server would block libuv's small
  // thread pool.
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
 * Returns the checked addresses of a host; connect to no others. Throws AppError(invalid) if any of
 * them is not public, and AppError(unavailable) if the name can't be resolved.
 */
export async function resolveHost(
  host: string,
  port: number,
  network: NetworkPolicy,
  signal: AbortSignal,
): Promise<ResolvedAddress[]> {
  const isTrusted = isAllowedPrivate(network, host, port);
  const family = isIP(host);
  let addresses: ResolvedAddress[];
  if (family !== 0) {
    addresses = [{ address: host, family: family as 4 | 6 }];
  } else {
    try {
      // An allowed name may be in /etc/hosts, which only getaddrinfo reads.
      addresses = isTrusted
        ? (await lookup(host, { all: true })).map(({ address, family }) => ({
            address,
            family: family as 4 | 6,
          }))
        : await queryDns(host, signal, network.dnsServers);
    } catch (error) {
      signal.throwIfAborted();
      const isUnknown = ["ENOTFOUND", "ENODATA"].includes(
        (error as NodeJS.ErrnoException).code ?? "",
      );
      throw new AppError(
        "unavailable",
        isUnknown
          ? `The hostname ${host} is unknown.`
          : `The hostname ${host} could not be resolved.`,
        {
          cause: error,
        },
      );
    }
  }
  if (addresses.length === 0) throw new AppError("unavailable", `The hostname ${host} is unknown.`);
  if (!isTrusted && !addresses.every(({ address }) => isPublicAddress(address))) {
    throw new AppError("invalid", `${host} is not a public host.`, { field: "url" });
  }
  return addresses;
}
