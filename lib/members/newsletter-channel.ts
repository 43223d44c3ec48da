// Decides who sends the newsletter: this site, Kit, or no one.

import { env } from "#lib/core/env.ts";
import { siteConfig } from "#lib/core/site-config.ts";

/** Returns "kit" if it is configured, otherwise "site"; null if the owner has no newsletter. */
export function newsletterChannel(): "site" | "kit" | null {
  if (!siteConfig.features.newsletter) return null;
  return env.KIT_API_KEY === undefined ? "site" : "kit";
}
