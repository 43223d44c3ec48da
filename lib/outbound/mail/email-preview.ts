// Decides whether pages may show unsent emails: only on the local machine and without a mail
// server.

import { isIPv4 } from "node:net";
import { env } from "#lib/core/env.ts";
import { currentRequestContext } from "#lib/core/request-context.ts";

const LOOPBACK_HOSTS = ["localhost", "127.0.0.1", "[::1]"];

function isLoopback(address: string | undefined): boolean {
  const plain = (address ?? "").replace(/^::ffff:/i, "");
  return plain === "::1" || (isIPv4(plain) && plain.startsWith("127."));
}

/**
 * Returns true if SMTP_URL is unset, and either in development or if both SITE_URL and the client
 * are on this machine. The Host header must name this machine or the site, against DNS rebinding.
 */
export function isEmailPreviewAllowed(): boolean {
  if (env.SMTP_URL !== undefined) return false;
  const site = new URL(env.SITE_URL);
  const request = currentRequestContext()?.request;
  const host = URL.parse(`http://${request?.headers.host ?? "none.invalid"}`);
  if (!host || (!LOOPBACK_HOSTS.includes(host.hostname) && host.host !== site.host)) return false;
  return (
    env.NODE_ENV === "development" ||
    (LOOPBACK_HOSTS.includes(site.hostname) && isLoopback(request?.socket.remoteAddress))
  );
}
