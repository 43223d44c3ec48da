// Finds the headers that proxies add. Reads raw headers, because Next adds some of these itself.

import type { IncomingMessage } from "node:http";
import { env } from "#lib/core/env.ts";
import { log } from "#lib/core/log.ts";
import type { RequestContext } from "#lib/core/request-context.ts";
import { singleton } from "#lib/core/singleton.ts";

const FORWARDING_HEADER =
  /^(forwarded|via|x-forwarded-.+|x-real-ip|.+-client-ip|.+-connecting-ip)$/i;

/** Returns the header `name` as it arrived, repeated ones joined by commas, or undefined. */
export function rawHeader({ rawHeaders }: IncomingMessage, name: string): string | undefined {
  const values = rawHeaders.filter((_, i) => i % 2 === 1 && isNamed(rawHeaders[i - 1]!, name));
  return values.length === 0 ? undefined : values.join(",");
}

const isNamed = (header: string, name: string) =>
  header.length === name.length && header.toLowerCase() === name;

/** Returns the name of the first header that a proxy must have added, or undefined. */
export function findForwardingHeader({ rawHeaders }: IncomingMessage): string | undefined {
  return rawHeaders.find((name, i) => i % 2 === 0 && FORWARDING_HEADER.test(name));
}

/**
 * Pipeline step. Warns once if a proxy seems to be in front but none is trusted: then all visitors
 * share one client's rate limits.
 */
export function warnOfUntrustedProxy({ request }: RequestContext): void {
  const state = singleton("untrusted-proxy", () => ({ isReported: false }));
  if (state.isReported || env.TRUST_PROXY !== "none") return;
  const header = findForwardingHeader(request);
  if (header === undefined) return;
  state.isReported = true;
  log("warn", "proxy.not_trusted", {
    header: header.toLowerCase(),
    hint: "If a proxy of yours is in front, set TRUST_PROXY. Until then, all its visitors share the rate limits of one client.",
  });
}
