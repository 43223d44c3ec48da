// Describes what a member agrees to.

import { siteConfig } from "#lib/core/site-config.ts";
import type { Purpose } from "#lib/members/consent.ts";

export const CONSENT_LABELS: Readonly<Record<Purpose, string>> = {
  NEWSLETTER:
    "Email me new posts. My email address and first name are sent to the newsletter service Kit.",
  // A getter, because site.config.ts is loaded on first use.
  get DISCORD() {
    const data = siteConfig.features.teams ? "first name and team" : "first name";
    return `Announce on Discord that I joined, with my ${data}.`;
  },
};
