// Responds with 404 to requests for features that the owner has turned off.

import type { RequestContext } from "#lib/core/request-context.ts";
import { findDisabledFeature } from "#lib/core/features.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { NOT_FOUND_PATH } from "./sanitize-url.ts";

/** What may be posted to a site without members: beacons and what machines send. */
const POST_PATHS = /^\/(reads|api|internal|mcp)(\/|$)/;

/**
 * Pipeline step, after the URL is sanitized. Sends the request to the 404 page if its path belongs
 * to a feature that is off. Without members, no page takes a form.
 */
export function hideDisabledFeatures({ request }: RequestContext): void {
  const { features } = siteConfig;
  const path = decodeURIComponent((request.url ?? "/").split("?")[0]!);
  const isForm = request.method === "POST" && !POST_PATHS.test(path);
  if (!findDisabledFeature(path, features) && (features.members || !isForm)) return;
  if (isForm) {
    request.method = "GET";
    // Next would run a server action of another page.
    delete request.headers["next-action"];
  }
  request.url = NOT_FOUND_PATH;
}
