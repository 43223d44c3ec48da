// What a caller is told about their call.

import { env } from "#lib/core/env.ts";
import type { EmailMessage } from "#lib/outbound/mail/email-message.ts";

interface Recipient {
  readonly email: string;
  readonly firstName: string;
  readonly title: string;
  /** The question is the description; there is no recording. */
  readonly isTyped: boolean;
}

/** The reason as the admin wrote it. */
export function declinedEmail(
  { email, firstName, title, isTyped }: Recipient,
  reason: string,
): EmailMessage {
  return {
    to: email,
    subject: `About your call “${title}”`,
    parts: [
      `Hello ${firstName},`,
      `thank you for your call “${title}”. It will not become an episode. This is why:`,
      reason,
      isTyped
        ? "Your question stays with you: you can read it, delete it, or leave another call."
        : "Your recording stays with you: you can listen to it, delete it, or leave another call.",
      { link: `${env.SITE_URL}/calls/mine`, label: "Your calls" },
    ],
  };
}

export function publishedEmail(
  { email, firstName, title, isTyped }: Recipient,
  { number, slug }: { number: number; slug: string },
): EmailMessage {
  return {
    to: email,
    subject: `Your call is answered: “${title}”`,
    parts: [
      `Hello ${firstName},`,
      `your call “${title}” has an answer. It is episode ${number}, ${isTyped ? "with your first name and your question as you wrote it, for everybody to read and hear" : "with your first name and your voice, for everybody to hear"}.`,
      { link: `${env.SITE_URL}/calls/${slug}`, label: "Listen to the episode" },
      "Should you ever want it gone: delete the call, and the episode goes with it.",
      { link: `${env.SITE_URL}/calls/mine`, label: "Your calls" },
    ],
  };
}
