// Words what a member agrees to.

import type { Purpose } from "#lib/members/consent.ts";

export const CONSENT_LABELS: Readonly<Record<Purpose, string>> = {
  NEWSLETTER: "Email me new posts. The newsletter service Kit gets my address and first name.",
  DISCORD: "Announce on Discord that I joined, with my first name.",
};
