// Lists the services that receive personal data from this site, from its configuration.

import { env } from "#lib/core/env.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { newsletterChannel } from "./newsletter-channel.ts";

export interface DataReceiver {
  readonly name: string;
  /** What it gets, and when. */
  readonly data: string;
}

/** Returns the configured receivers; empty if the data stays on the server. */
export function listDataReceivers(): DataReceiver[] {
  if (!siteConfig.features.members) return [];
  const receivers: DataReceiver[] = [];
  if (env.SMTP_URL)
    receivers.push({
      name: `The mail server ${new URL(env.SMTP_URL).hostname}`,
      data: `your email address and the emails we send you, such as login links${newsletterChannel() === "site" ? "; new posts only if you subscribed" : ""}`,
    });
  if (newsletterChannel() === "kit")
    receivers.push({
      name: `The newsletter service Kit (${new URL(env.KIT_API).hostname})`,
      data: "your email address and first name, but only if you agreed to get new posts by email",
    });
  if (env.DISCORD_WEBHOOK_URL)
    receivers.push({
      name: `Discord (${new URL(env.DISCORD_WEBHOOK_URL).hostname})`,
      data: `your first name${siteConfig.features.teams ? " and team" : ""} when you join, but only if you agreed to be announced${siteConfig.features.calls ? "; the titles of published episodes" : ""}`,
    });
  return receivers;
}
