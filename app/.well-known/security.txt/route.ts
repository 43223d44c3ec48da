// Serves security.txt (RFC 9116): how to report a vulnerability. 404 unless the author has an email
// address in site.config.ts.

import { nowMs, subtractMonths } from "#lib/core/clock.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { conditionalResponse, createCacheableBody } from "#lib/http/conditional-response.ts";
import { getSiteMetadata } from "#lib/posts/site-metadata.ts";

export const dynamic = "force-dynamic";

const TEXT = "text/plain; charset=utf-8";
const MAX_AGE_SECONDS = 3_600;
/** RFC 9116 recommends less than a year. */
const VALID_MONTHS = 6;

export function GET(request: Request): Response {
  const { author, language } = siteConfig;
  if (!author.email)
    return new Response("Not found.\n", { status: 404, headers: { "content-type": TEXT } });
  // The first day of a month, so that the text rarely changes.
  const expires = new Date(subtractMonths(nowMs(), -VALID_MONTHS)).toISOString().slice(0, 7);
  const text = [
    `Contact: mailto:${author.email}`,
    `Expires: ${expires}-01T00:00:00.000Z`,
    `Preferred-Languages: ${language}`,
    `Canonical: ${getSiteMetadata().url}/.well-known/security.txt`,
    "",
  ].join("\n");
  return conditionalResponse(request, createCacheableBody(text), TEXT, MAX_AGE_SECONDS);
}
