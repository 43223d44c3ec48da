// Builds and sends the login email. It contains secrets, so it is sent immediately and never enters
// the outbox.

import { MINUTE_MS, SECOND_MS, nowMs } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { AppError } from "#lib/core/errors.ts";
import { log } from "#lib/core/log.ts";
import { singleton } from "#lib/core/singleton.ts";
import type { EmailMessage } from "#lib/outbound/mail/email-message.ts";
import { type EmailFault, EmailError, sendEmail } from "#lib/outbound/mail/send-email.ts";
import { CHALLENGE_TTL_MS, type NewChallenge } from "./login-challenge.ts";

export interface LoginEmailFailure {
  readonly atMs: number;
  /** The mail server's reply, without addresses. */
  readonly reason: string;
}

const MAX_FAILURES = 50;
/** A slower failure is not retried, because a person is waiting. */
const RETRY_WITHIN_MS = 3 * SECOND_MS;

const getFailures = () => singleton<LoginEmailFailure[]>("login-email-failures", () => []);

/** Returns the last MAX_FAILURES login emails that this process failed to send, newest first. */
export function listLoginEmailFailures(): readonly LoginEmailFailure[] {
  return getFailures().toReversed();
}

/**
 * Builds the email. `next` is the path to go to if the link is opened in another browser, or null.
 */
export function buildLoginEmail({
  to,
  token,
  code,
  expiresAtMs,
  next,
}: Pick<NewChallenge, "token" | "code" | "expiresAtMs"> & {
  to: string;
  next: string | null;
}): EmailMessage {
  const link = new URL("/login/confirm", env.SITE_URL);
  link.searchParams.set("token", token);
  if (next) link.searchParams.set("next", next);
  const until = new Date(expiresAtMs).toISOString().slice(11, 16);
  return {
    to,
    // Shows in the notification, so that the code can be entered without opening the email.
    subject: `${code} is your ${siteConfig.name} login code`,
    parts: [
      `Here's your link to log in to ${siteConfig.name}.`,
      { label: "Log in", link: link.href },
      "Or enter this code:",
      { code },
      `The link and code work once and expire in ${CHALLENGE_TTL_MS / MINUTE_MS} minutes (at ${until} UTC).`,
      "Didn't request this? You can ignore it. Never share this code.",
    ],
  };
}

/**
 * Returns true if the pool closed while the email waited for a connection, so the server never
 * replied. Nodemailer gives this error no code.
 */
const isPoolClosed = (reason: string) => /pool was closed/i.test(reason);

const FAILURE_MESSAGES: Record<EmailFault, string> = {
  recipient: "We couldn't deliver to this address. Please check it.",
  server: "We can't send email right now. Your address is fine; try again in a minute.",
  other: "We couldn't send the email. Try again in a minute.",
};

/**
 * Resolves once the mail server has accepted the email. Retries once after a quick and transient
 * failure. Throws AppError(unavailable) with a message for the user; the reason goes to the log and
 * to listLoginEmailFailures().
 */
export async function sendLoginEmail(email: EmailMessage): Promise<void> {
  const startedMs = performance.now();
  for (let attempt = 1; ; attempt++) {
    try {
      await sendEmail(email);
      return;
    } catch (error) {
      const reason = (error as Error).message;
      const { fault = "other", isPermanent = false } = error instanceof EmailError ? error : {};
      const isQuick = performance.now() - startedMs < RETRY_WITHIN_MS;
      if (attempt === 1 && (isPoolClosed(reason) || (!isPermanent && isQuick))) continue;
      log("error", "login.email_failed", { reason, attempts: attempt });
      const failures = getFailures();
      failures.push({ atMs: nowMs(), reason });
      failures.splice(0, failures.length - MAX_FAILURES);
      throw new AppError("unavailable", FAILURE_MESSAGES[fault], { retryAfterSeconds: 60 });
    }
  }
}
