// Starts and sends due issues in the background, on the primary.

import { SECOND_MS } from "#lib/core/clock.ts";
import { log } from "#lib/core/log.ts";
import { runOutsideRequest } from "#lib/core/request-context.ts";
import { singleton } from "#lib/core/singleton.ts";
import { newsletterChannel } from "#lib/members/newsletter-channel.ts";
import { currentRole } from "#lib/replication/role.ts";
import { sendDueIssues } from "./send-issues.ts";
import { startDueIssues } from "./start-due-issues.ts";

const POLL_INTERVAL_MS = 5 * SECOND_MS;

interface SenderState {
  running: Promise<void> | null;
  rerunRequested: boolean;
  timer: NodeJS.Timeout | null;
}
const senderState = () =>
  singleton<SenderState>("newsletter", () => ({
    running: null,
    rerunRequested: false,
    timer: null,
  }));

/**
 * Starts due issues and sends what is due. Does nothing unless this is the primary and this site
 * sends the newsletter; concurrent calls share one run.
 */
export async function runNewsletter(): Promise<void> {
  const state = senderState();
  if (state.running) {
    state.rerunRequested = true;
    return state.running;
  }
  state.running = (async () => {
    do {
      state.rerunRequested = false;
      if (currentRole() !== "primary" || newsletterChannel() !== "site") return;
      await startDueIssues();
      await sendDueIssues();
    } while (state.rerunRequested);
  })().finally(() => {
    state.running = null;
  });
  return state.running;
}

/** Starts a run in the background. Call it after the commit that scheduled an issue. */
export function triggerNewsletter(): void {
  runOutsideRequest(() =>
    setImmediate(
      () =>
        void runNewsletter().catch((error: unknown) =>
          // A replica's turn ends with its lease; the new primary continues.
          log(currentRole() === "primary" ? "error" : "warn", "newsletter.stopped", { error }),
        ),
    ),
  );
}

/** Starts polling for due issues. Idempotent. */
export function startNewsletterPolling(): void {
  const state = senderState();
  state.timer ??= setInterval(triggerNewsletter, POLL_INTERVAL_MS);
  state.timer.unref();
}
