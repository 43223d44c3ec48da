// Describes what a member agrees to.

import { siteConfig } from "#lib/core/site-config.ts";
import { newsletterChannel } from "#lib/members/newsletter-channel.ts";
import type { Purpose } from "#lib/members/consent.ts";

export const CONSENT_LABELS: Readonly<Record<Purpose, string>> = {
  // Getters, because the configuration is loaded on first use.
  get NEWSLETTER() {
    const channel = " My email address and first name are sent to the newsletter service Kit.";
    return `Email me new posts.${newsletterChannel() === "kit" ? channel : ""}`;
  },
  get DISCORD() {
    const data = siteConfig.features.teams ? "first name and team" : "first name";
    return `Announce on Discord that I joined, with my ${data}.`;
  },
};
