// Reduces a referrer to its host, or to less if the host could identify a person.

/** Views without a referrer, and from links on this site. */
export const DIRECT = "";
/** Referrers that are not stored by name: IP addresses, names without a dot, and invalid ones. */
export const OTHER = "other";

const MAX_HOST_CHARS = 100;
/** Matches a public name: labels of letters, digits and hyphens, the last one not a number as in IP addresses. */
const HOST_PATTERN =
  /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$/;

/** Names of a private network (RFC 6762, 6761, 8375, and usual ones), which may name a person's machine. */
const PRIVATE_NAME =
  /\.(?:local|localhost|localdomain|internal|intranet|private|lan|home|corp|home\.arpa)$/;

const stripWww = (host: string) => (host.startsWith("www.") ? host.slice(4) : host);

/**
 * Returns the host in `referrer`, which is a host with or without a port, in lowercase and without
 * "www."; DIRECT if it is missing or one of `ownHosts`; otherwise OTHER.
 */
export function parseReferrerHost(
  referrer: string | undefined,
  ownHosts: readonly (string | null)[],
): string {
  if (!referrer) return DIRECT;
  const normalize = (host: string) => stripWww(host.toLowerCase().replace(/:\d{1,5}$/, ""));
  const host = normalize(referrer);
  if (ownHosts.some((own) => own !== null && normalize(own) === host)) return DIRECT;
  const isPublic =
    host.length <= MAX_HOST_CHARS && HOST_PATTERN.test(host) && !PRIVATE_NAME.test(host);
  return isPublic ? host : OTHER;
}
