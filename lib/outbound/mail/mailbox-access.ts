// Protects the page of the local mailbox with a secret in its address, which is new at each start
// and printed in the terminal. The client's address proves nothing, because a proxy may be on this
// machine.

import { env } from "#lib/core/env.ts";
import { generateSecret, isSameSecret } from "#lib/core/secret.ts";
import { singleton } from "#lib/core/singleton.ts";

const pageSecret = () => singleton("mailbox-secret", () => generateSecret(128));

/** Returns the URL of the page with the emails of this process. */
export const mailboxUrl = (): string => `${env.SITE_URL}/dev/mail/${pageSecret()}`;

/** Returns true if no mail server is configured and `secret` is that of mailboxUrl(). */
export function canReadMailbox(secret: string): boolean {
  return env.SMTP_URL === undefined && isSameSecret(secret, pageSecret());
}

/** Prints where emails are shown, if no mail server is configured. */
export function announceMailbox(): void {
  if (env.SMTP_URL === undefined)
    process.stdout.write(
      `\n  No mail server is configured (SMTP_URL). Emails are shown here and at\n  ${mailboxUrl()}\n\n`,
    );
}
