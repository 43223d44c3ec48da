// The mail that logs somebody in. It holds secrets, so it is sent at once and never waits in the outbox.

import { MINUTE_MS, SECOND_MS, nowMs } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { AppError } from "#lib/core/errors.ts";
import { log } from "#lib/core/log.ts";
import type { EmailMessage } from "#lib/outbound/mail/email-message.ts";
import { type EmailFault, EmailError, sendEmail } from "#lib/outbound/mail/send-email.ts";
import { singleton } from "#lib/core/singleton.ts";
import { CHALLENGE_TTL_MS, type NewChallenge } from "./login-challenge.ts";

export interface LoginEmailFailure {
  readonly atMs: number;
  /** The mail server's own words, without addresses. */
  readonly reason: string;
}

const MAX_FAILURES = 50;
/** A server that took longer than this to fail is not asked again: somebody is waiting. */
const RETRY_WITHIN_MS = 3 * SECOND_MS;

const getFailures = () => singleton("login-email-failures", (): LoginEmailFailure[] => []);

/** The last 50 log-in mails of this process that were not sent, newest first; for admins. */
export function listLoginEmailFailures(): readonly LoginEmailFailure[] {
  return getFailures().toReversed();
}

/** The words of the mail. `next` is a path of this site, to go on to where the link is opened in another browser. */
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
    subject: `Log in to ${env.SITE_NAME}`,
    parts: [
      `Somebody, most likely you, asked to log in to ${env.SITE_NAME} with this address.`,
      { label: "Log in", link: link.href },
      "Or type this code on the page that asked for it:",
      { code },
      `Either works once, within ${CHALLENGE_TTL_MS / MINUTE_MS} minutes: until ${until} UTC. If you asked more than once, the page takes the code of the newest mail.`,
      "If you did not ask for it, do nothing: nobody gets in without this mail. Give the code to nobody, whoever asks.",
    ],
  };
}

/** Whether the server's words are a refusal for good: a reply of the 500s (RFC 5321, 4.2.1). */
const isPermanentFailure = (reason: string) => /(^|[\s:])5\d\d[\s-]/.test(reason);

/** The connections were ended while the mail waited for one: no reply of a server's. */
const isPoolClosed = (reason: string) => /pool was closed/i.test(reason);

const FAILURE_MESSAGES: Record<EmailFault, string> = {
  recipient: "The mail server does not take mail for this address. See whether it is right.",
  server: "Our mail server does not answer. It is not your address: try again in a minute.",
  other: "The mail could not be sent. Try again in a minute.",
};

/**
 * Resolves when the mail server has taken the mail; tries a second time when the first failed quickly and not for good.
 * Throws AppError(unavailable) with what the person can do; the reason goes to the log and to loginMailFailures.
 */
export async function sendLoginEmail(mail: EmailMessage): Promise<void> {
  const beganAt = performance.now();
  for (let attempt = 1; ; attempt++) {
    try {
      await sendEmail(mail);
      return;
    } catch (error) {
      const reason = (error as Error).message;
      if (
        attempt === 1 &&
        (isPoolClosed(reason) ||
          (!isPermanentFailure(reason) && performance.now() - beganAt < RETRY_WITHIN_MS))
      )
        continue;
      log("error", "login.mail_failed", { reason, attempts: attempt });
      getFailures().push({ atMs: nowMs(), reason });
      getFailures().splice(0, getFailures().length - MAX_FAILURES);
      throw new AppError(
        "unavailable",
        FAILURE_MESSAGES[error instanceof EmailError ? error.fault : "other"],
        { retryAfterSeconds: 60 },
      );
    }
  }
}
