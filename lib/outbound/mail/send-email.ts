// Sends an email by SMTP, or saves it to the local mailbox if no server is configured.

import { createTransport } from "nodemailer";
import { env, isSiteUrlMissing } from "#lib/core/env.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { AppError } from "#lib/core/errors.ts";
import { singleton } from "#lib/core/singleton.ts";
import { type EmailMessage, renderEmailHtml, renderEmailText } from "./email-message.ts";
import { saveToLocalMailbox } from "./local-mailbox.ts";
import { redactAddresses } from "./redact-addresses.ts";

/** Deadline for sending one email. */
export const EMAIL_TIMEOUT_MS = 10_000;
/** Shorter, so that an unresponsive connection is closed before the next email waits for it. */
const SOCKET_TIMEOUT_MS = 8_000;

/**
 * Why an email was not sent: the recipient was rejected, the server is unreachable or unresponsive,
 * or another reason.
 */
export type EmailFault = "recipient" | "server" | "other";

/** An AppError(unavailable) with the cause of the failure. */
export class EmailError extends AppError {
  readonly fault: EmailFault;
  /** True if the server replied that it will never accept this email: a 5yz code (RFC 5321, 4.2.1). */
  readonly isPermanent: boolean;

  constructor(
    reason: string,
    { fault, isPermanent = false }: { fault: EmailFault; isPermanent?: boolean },
  ) {
    super("unavailable", `The email was not sent: ${reason}`, { retryAfterSeconds: 60 });
    this.fault = fault;
    this.isPermanent = isPermanent;
  }
}

/** Nodemailer's codes for failed connections; most system errors become ESOCKET. */
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
  return code !== undefined && CONNECTION_ERROR_CODES.has(code) && responseCode === undefined
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
    // Pooled, so that a login email needn't wait for an SMTP handshake.
    const timeouts = {
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
        ...timeouts,
      } as Parameters<typeof createTransport>[0]),
    };
  }
  return shared.pool!.transport;
}

/**
 * Returns the sender of all emails. As a single string, Nodemailer would parse a name such as
 * "Lectern: notes" as a group (RFC 5322, 3.4).
 */
export function getSender(): { name: string; address: string } {
  const { MAIL_FROM: from, SITE_URL } = env;
  if (!from) return { name: siteConfig.name, address: `no-reply@${new URL(SITE_URL).hostname}` };
  const [, quoted, name = "", address = from] = /^(?:"(.*)"|(.*)) <(.*)>$/.exec(from) ?? [];
  return { name: quoted?.replace(/\\(.)/g, "$1") ?? name, address };
}

/** Returns the headers of one-click unsubscription (RFC 8058). */
const listHeaders = (unsubscribeUrl: string | undefined): Record<string, string> =>
  unsubscribeUrl
    ? {
        "List-Unsubscribe": `<${unsubscribeUrl}>`,
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
      }
    : {};

export interface RenderedEmail extends Pick<EmailMessage, "to" | "subject" | "unsubscribeUrl"> {
  readonly text: string;
  readonly html: string;
  /** Without angle brackets. */
  readonly messageId?: string;
}

/** Returns the email with its sender and headers, as Nodemailer takes it. */
export function toMailOptions({
  to,
  subject,
  text,
  html,
  unsubscribeUrl,
  messageId,
}: RenderedEmail) {
  return {
    from: getSender(),
    to: { name: "", address: to },
    subject,
    text,
    html,
    headers: listHeaders(unsubscribeUrl),
    ...(messageId && { messageId: `<${messageId}>` }),
  };
}

/**
 * Resolves when the server has accepted the email. Throws EmailError with the server's reason, at
 * the latest after EMAIL_TIMEOUT_MS.
 */
export async function sendEmail(email: EmailMessage): Promise<void> {
  const url = env.SMTP_URL;
  if (!url) {
    saveToLocalMailbox(email);
    return;
  }
  if (isSiteUrlMissing()) throw new EmailError("SITE_URL is not set.", { fault: "other" });
  // Also closes the connection: an email that failed is retried, and must not be sent twice.
  const signal = AbortSignal.timeout(EMAIL_TIMEOUT_MS);
  try {
    const options = { ...email, text: renderEmailText(email), html: renderEmailHtml(email) };
    await smtpTransport(url).sendMail({ ...toMailOptions(options), signal });
  } catch (error) {
    if (signal.aborted)
      throw new EmailError("The mail server did not respond in time.", { fault: "server" });
    // No `cause`, because logs print it.
    throw new EmailError(redactAddresses((error as Error).message), {
      fault: classifyFault(error),
      isPermanent: ((error as { responseCode?: number }).responseCode ?? 0) >= 500,
    });
  }
}

/** Closes all connections to the mail server. For shutdown and tests. */
export function closeSmtpTransport(): void {
  shared.pool?.transport.close();
  shared.pool = undefined;
}
