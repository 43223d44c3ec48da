// Builds the emails that tell a caller that their call was received, published or declined.

import { env } from "#lib/core/env.ts";
import type { EmailMessage } from "#lib/outbound/mail/email-message.ts";

interface Recipient {
  readonly email: string;
  readonly firstName: string;
  readonly title: string;
  /** True if the description is the question and there is no recording. */
  readonly isTyped: boolean;
}

/** Returns the receipt of a new call. */
export function receivedEmail({ email, firstName, title, isTyped }: Recipient): EmailMessage {
  return {
    to: email,
    subject: `We received your call “${title}”`,
    parts: [
      `Hi ${firstName},`,
      `Thanks for your call “${title}”. We’ll ${isTyped ? "read it" : "listen to it"} and email you either way.`,
      "Until then, you can see or delete it:",
      { link: `${env.SITE_URL}/calls/mine`, label: "Your calls" },
    ],
  };
}

/** Returns the email, with the admin's reason verbatim. */
export function declinedEmail(
  { email, firstName, title, isTyped }: Recipient,
  reason: string,
): EmailMessage {
  return {
    to: email,
    subject: `About your call “${title}”`,
    parts: [
      `Hi ${firstName},`,
      `Thanks for your call “${title}”. We won’t be turning it into an episode. Here’s why:`,
      reason,
      isTyped
        ? "You can still see or delete it, or ask something else."
        : "You can still listen to it or delete it, or ask something else.",
      { link: `${env.SITE_URL}/calls/mine`, label: "Your calls" },
    ],
  };
}

/** Returns the email with a link to the episode. */
export function publishedEmail(
  { email, firstName, title, isTyped }: Recipient,
  { number, slug }: { number: number; slug: string },
): EmailMessage {
  return {
    to: email,
    subject: `We answered your question: “${title}”`,
    parts: [
      `Hi ${firstName},`,
      `We’ve answered your call “${title}”. It’s now episode ${number}, ${isTyped ? "with your first name and your question as you wrote it" : "with your first name and your voice"}. Everyone can listen.`,
      { link: `${env.SITE_URL}/calls/${slug}`, label: "Listen to the episode" },
      "Changed your mind? Delete the call and the episode is removed, too.",
      { link: `${env.SITE_URL}/calls/mine`, label: "Your calls" },
    ],
  };
}
