// Sends a mail by SMTP, or puts it into the outbox folder where no server is configured.

import { createTransport } from "nodemailer";
import { env } from "#lib/core/env.ts";
import { AppError, isAppError } from "#lib/core/errors.ts";
import { withTimeout } from "#lib/core/with-timeout.ts";
import { singleton } from "#lib/core/singleton.ts";
import { type EmailMessage, renderEmailHtml, renderEmailText } from "./email-message.ts";
import { saveToLocalMailbox } from "./local-mailbox.ts";

/** A server that takes longer than this for one mail counts as one that does not answer. */
export const EMAIL_TIMEOUT_MS = 10_000;
/** A connection on which nothing comes for this long is ended: before the mail is given up, so that the next one does not wait behind it. */
const SOCKET_TIMEOUT_MS = 8_000;

/** Why a mail was not sent: the server does not take mail for this address; it could not be reached or fell silent; anything else. */
export type EmailFault = "recipient" | "server" | "other";

/** An AppError(unavailable) that says where the fault is. */
export class EmailError extends AppError {
  readonly fault: EmailFault;

  constructor(reason: string, fault: EmailFault) {
    super("unavailable", `The mail was not sent: ${reason}`, { retryAfterSeconds: 60 });
    this.fault = fault;
  }
}

/** Nodemailer's names for a connection that failed; a system's own (ECONNREFUSED) come as ESOCKET. */
const CONNECTION_ERROR_CODES = new Set([
  "ECONNECTION",
  "ETIMEDOUT",
  "ESOCKET",
  "EDNS",
  "ETLS",
  "ECONNREFUSED",
  "ECONNRESET",
]);

function classifyFault(error: unknown): EmailFault {
  const { code, command, responseCode } = error as {
    code?: string;
    command?: string;
    responseCode?: number;
  };
  if (responseCode !== undefined && responseCode >= 500 && command === "RCPT TO")
    return "recipient";
  return isAppError(error, "unavailable") ||
    (code !== undefined && CONNECTION_ERROR_CODES.has(code) && responseCode === undefined)
    ? "server"
    : "other";
}

interface PooledTransport {
  readonly url: string;
  readonly transport: ReturnType<typeof createTransport>;
}
const shared = singleton("smtp", (): { pool?: PooledTransport } => ({}));

function smtpTransport(url: string): PooledTransport["transport"] {
  if (shared.pool?.url !== url) {
    shared.pool?.transport.close();
    // Few connections, kept: a log-in should not wait for a handshake. Never more at once than a small server likes.
    const wait = {
      connectionTimeout: SOCKET_TIMEOUT_MS,
      greetingTimeout: SOCKET_TIMEOUT_MS,
      socketTimeout: SOCKET_TIMEOUT_MS,
      dnsTimeout: SOCKET_TIMEOUT_MS,
    };
    shared.pool = {
      url,
      transport: createTransport({
        url,
        pool: true,
        maxConnections: 3,
        disableFileAccess: true,
        disableUrlAccess: true,
        ...wait,
      } as Parameters<typeof createTransport>[0]),
    };
  }
  return shared.pool!.transport;
}

/** The address that mails come from. */
export function senderAddress(): string {
  return (
    env.MAIL_FROM ??
    `${env.SITE_NAME.replace(/["<>\\\r\n]/g, "")} <no-reply@${new URL(env.SITE_URL).hostname}>`
  );
}

/** Resolves when the server has taken the mail. Throws MailError, an AppError(unavailable), with the server's reason within ten seconds; it may then be tried again. */
export async function sendEmail(mail: EmailMessage): Promise<void> {
  const url = env.SMTP_URL;
  if (!url) {
    saveToLocalMailbox(mail);
    return;
  }
  try {
    // Who waits too long stops waiting; the connections are everybody's, and end their own silence.
    await withTimeout(
      smtpTransport(url).sendMail({
        from: senderAddress(),
        to: { name: "", address: mail.to },
        subject: mail.subject,
        text: renderEmailText(mail),
        html: renderEmailHtml(mail),
      }),
      EMAIL_TIMEOUT_MS,
      "The mail server did not answer in time.",
    );
  } catch (error) {
    // The server's own words: they name no password, but often the address, and not always as it was given. For the log and the
    // admin, not for the member. Nothing of the error goes along as its cause: a log prints causes, too.
    const reason = (error as Error).message
      .replace(/[^\s<>"'(]+@[^\s<>"'),;:]+/g, "the address")
      .slice(0, 300);
    throw new EmailError(reason, classifyFault(error));
  }
}

/** Ends the connections to the mail server. For the end of the process and of a test. */
export function closeSmtpTransport(): void {
  shared.pool?.transport.close();
  shared.pool = undefined;
}
