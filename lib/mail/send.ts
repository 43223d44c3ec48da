// Sends a mail by SMTP, or puts it into the outbox folder where no server is configured.

import { createTransport } from "nodemailer";
import { env } from "../base/env.ts";
import { AppError } from "../base/errors.ts";
import { within } from "../base/deadline.ts";
import { type Mail, mailHtml, mailText } from "./mail.ts";
import { putIntoFolder } from "./outbox-folder.ts";

/** A server that takes longer than this for one mail counts as one that does not answer. */
export const MAIL_TIMEOUT_MS = 10_000;

interface Transport {
  readonly url: string;
  readonly transport: ReturnType<typeof createTransport>;
}
const shared = globalThis as { __lecternMail?: Transport };

function transport(url: string): Transport["transport"] {
  if (shared.__lecternMail?.url !== url) {
    shared.__lecternMail?.transport.close();
    // Few connections, kept: a log-in should not wait for a handshake. Never more at once than a small server likes.
    const wait = { connectionTimeout: MAIL_TIMEOUT_MS, greetingTimeout: MAIL_TIMEOUT_MS, socketTimeout: MAIL_TIMEOUT_MS, dnsTimeout: MAIL_TIMEOUT_MS };
    shared.__lecternMail = { url, transport: createTransport({ url, pool: true, maxConnections: 3, disableFileAccess: true, disableUrlAccess: true, ...wait } as Parameters<typeof createTransport>[0]) };
  }
  return shared.__lecternMail!.transport;
}

/** The address that mails come from. */
export function mailFrom(): string {
  return env.MAIL_FROM ?? `${env.SITE_NAME.replace(/["<>\\\r\n]/g, "")} <no-reply@${new URL(env.SITE_URL).hostname}>`;
}

/** Resolves when the server has taken the mail. Throws AppError(unavailable) with the server's reason within ten seconds; it may then be tried again. */
export async function sendMail(mail: Mail): Promise<void> {
  const url = env.SMTP_URL;
  if (!url) {
    putIntoFolder(mail);
    return;
  }
  try {
    await within(transport(url).sendMail({ from: mailFrom(), to: { name: "", address: mail.to }, subject: mail.subject, text: mailText(mail), html: mailHtml(mail) }), MAIL_TIMEOUT_MS, "The mail server did not answer in time.", () => closeMail());
  } catch (error) {
    // The server's own words: they name no password, but often the address, and not always as it was given. For the log and the
    // admin, not for the member. Nothing of the error goes along as its cause: a log prints causes, too.
    const reason = (error as Error).message.replace(/[^\s<>"'(]+@[^\s<>"'),;:]+/g, "the address").slice(0, 300);
    throw new AppError("unavailable", `The mail was not sent: ${reason}`, { retryAfterSeconds: 60 });
  }
}

/** Ends the connections to the mail server. For the end of the process and of a test. */
export function closeMail(): void {
  shared.__lecternMail?.transport.close();
  delete shared.__lecternMail;
}
