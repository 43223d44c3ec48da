// Starts and sends due issues in the background, on the primary.

import { defineBackgroundJob } from "#lib/core/background-job.ts";
import { SECOND_MS } from "#lib/core/clock.ts";
import { log } from "#lib/core/log.ts";
import { newsletterChannel } from "#lib/members/newsletter-channel.ts";
import { currentRole } from "#lib/replication/role.ts";
import { sendDueIssues } from "./send-issues.ts";
import { startDueIssues } from "./start-due-issues.ts";

const POLL_INTERVAL_MS = 5 * SECOND_MS;

async function startAndSendDueIssues(): Promise<void> {
  if (currentRole() !== "primary" || newsletterChannel() !== "site") return;
  await startDueIssues();
  await sendDueIssues();
}

const newsletter = defineBackgroundJob("newsletter", startAndSendDueIssues, (error) =>
  // A replica's turn ends with its lease; the new primary continues.
  log(currentRole() === "primary" ? "error" : "warn", "newsletter.stopped", { error }),
);

/**
 * Starts due issues and sends what is due. Does nothing unless this is the primary and this site
 * sends the newsletter; concurrent calls share one run.
 */
export const runNewsletter = newsletter.run;

/** Starts a run in the background. Call it after the commit that scheduled an issue. */
export const triggerNewsletter = newsletter.trigger;

/** Starts polling for due issues. Idempotent. */
export const startNewsletterPolling = (): void => newsletter.startPolling(POLL_INTERVAL_MS);
