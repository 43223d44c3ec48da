// Parses what a post page reports about a view.

import { isbot } from "isbot";
import { z } from "zod";
import { env } from "#lib/core/env.ts";
import { assertSameOrigin } from "#lib/http/csrf.ts";
import type { DirectRequest } from "#lib/http/direct-request.ts";
import { readJson } from "#lib/http/read-json.ts";
import { MAX_DWELL_TOKEN_LENGTH } from "#lib/reading/dwell-token.ts";
import { parseReferrerHost } from "#lib/reading/referrer-host.ts";

// Not strict, like all schemas of what pages send: the page may be newer than the primary.
const Body = z.object({
  token: z.string().min(1).max(MAX_DWELL_TOKEN_LENGTH),
  slug: z.string().min(1).max(200),
  /** The host in document.referrer. */
  from: z.string().max(1_000).optional(),
});

export interface Beacon {
  readonly token: string;
  readonly slug: string;
  /** See parseReferrerHost(). */
  readonly host: string;
}

/** Throws AppError(forbidden) for another site's request, invalid or too_large. */
export async function readBeacon(request: DirectRequest): Promise<Beacon> {
  assertSameOrigin(request);
  const { token, slug, from } = await readJson(request, Body, {
    maxBytes: 2_048,
    contentTypes: ["text/plain", "application/json"],
  });
  const ownHosts = [request.headers.get("host"), new URL(env.SITE_URL).host];
  return { token, slug, host: parseReferrerHost(from, ownHosts) };
}

/** Returns whether the client identifies itself as a bot, or not at all. */
export function isBot({ headers }: DirectRequest): boolean {
  const userAgent = headers.get("user-agent");
  return !userAgent || isbot(userAgent);
}
