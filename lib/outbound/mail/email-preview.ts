// Whether mails may be shown on a page: only on the machine of somebody who has set up no mail server.

import { isIPv4 } from "node:net";
import { env } from "#lib/core/env.ts";
import { currentRequestContext } from "#lib/core/request-context.ts";

const LOOPBACK_HOSTS = ["localhost", "127.0.0.1", "[::1]"];

function isLoopback(address: string | undefined): boolean {
  const plain = (address ?? "").replace(/^::ffff:/i, "");
  return plain === "::1" || (isIPv4(plain) && plain.startsWith("127."));
}

/**
 * True where mails go to the outbox folder and either this is development, or the site's own address is this machine's and the
 * request comes from it. In both cases the request must name this machine or the site as its host: a page of another site whose
 * name was made to point here (DNS rebinding) does not.
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
