// Sends emails over one SMTP connection and reports the outcome of each, for recipients who must not
// get an email twice. Nodemailer's pool hides when a message is sent.

import { Readable } from "node:stream";
import { parseConnectionUrl } from "nodemailer/lib/shared";
import SMTPConnection from "nodemailer/lib/smtp-connection";
import { MINUTE_MS } from "#lib/core/clock.ts";
import { redactAddresses } from "./redact-addresses.ts";

const CONNECT_TIMEOUT_MS = 10_000;
/** Servers may scan a message before they accept it. RFC 5321 allows ten minutes. */
const REPLY_TIMEOUT_MS = MINUTE_MS;
const DEADLINE_MS = 2 * MINUTE_MS;
const MAX_EMAILS = 100;

export type SendResult =
  | { readonly outcome: "accepted" }
  /** The server refused the email, or the connection broke during `beforeMessage`. */
  | { readonly outcome: "refused"; readonly isPermanent: boolean; readonly reason: string }
  /** No server, or the connection broke before the message: nothing was sent. */
  | { readonly outcome: "unreachable"; readonly reason: string }
  /** `beforeMessage` returned false: nothing was sent. */
  | { readonly outcome: "stopped" }
  /** The connection broke after the message and before the reply. SMTP can't tell which. */
  | { readonly outcome: "uncertain"; readonly reason: string };

interface OutgoingEmail {
  readonly from: string;
  readonly to: string;
  /** RFC 5322, with headers. */
  readonly message: Buffer;
  /**
   * Called when the server waits for the message. Resolves to false to send nothing: RFC 5321
   * forbids a server to deliver a message without its end.
   */
  beforeMessage(): Promise<boolean>;
}

export class SmtpSession {
  readonly #url: string;
  #connection: SMTPConnection | null = null;
  #sentCount = 0;

  constructor(url: string) {
    this.#url = url;
  }

  /** Never rejects, unless `beforeMessage` does. Connects if necessary. */
  async send(email: OutgoingEmail): Promise<SendResult> {
    let connection: SMTPConnection;
    try {
      connection = this.#connection ?? (await this.#connect());
    } catch (error) {
      this.close();
      return { outcome: "unreachable", reason: redactAddresses((error as Error).message) };
    }
    let result: SendResult | undefined;
    try {
      result = await sendOver(connection, email);
      return result;
    } finally {
      this.#sentCount += 1;
      // After a failure, the state of the session is unknown.
      if (result?.outcome !== "accepted" || this.#sentCount >= MAX_EMAILS) this.close();
    }
  }

  close(): void {
    this.#connection?.close();
    this.#connection = null;
    this.#sentCount = 0;
  }

  #connect(): Promise<SMTPConnection> {
    const options = parseConnectionUrl(this.#url);
    const connection = new SMTPConnection({
      ...options,
      connectionTimeout: CONNECT_TIMEOUT_MS,
      greetingTimeout: CONNECT_TIMEOUT_MS,
      dnsTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: REPLY_TIMEOUT_MS,
      // Closes immediately, so that an unfinished message stays unfinished.
      ...{ socketCloseTimeout: 0 },
    });
    this.#connection = connection;
    return new Promise((resolve, reject) => {
      // Also emitted while nothing is being sent, when the server ends an idle session.
      connection.on("error", reject);
      connection.once("end", () => {
        if (this.#connection === connection) this.#connection = null;
        reject(new Error("The mail server closed the connection."));
      });
      connection.connect((connectError) => {
        if (connectError) return reject(connectError);
        const { auth } = options;
        if (!auth || connection.authenticated || !connection.allowsAuth) return resolve(connection);
        connection.login(auth as SMTPConnection.Credentials, (loginError) =>
          loginError ? reject(loginError) : resolve(connection),
        );
      });
    });
  }
}

async function sendOver(
  connection: SMTPConnection,
  { from, to, message, beforeMessage }: OutgoingEmail,
): Promise<SendResult> {
  let hasStarted = false;
  let permission: Promise<boolean> | null = null;
  async function* streamMessage() {
    permission = beforeMessage();
    if (!(await permission)) throw new Error("Stopped.");
    hasStarted = true;
    yield message;
  }
  let timer: NodeJS.Timeout | undefined;
  const error = await new Promise<SMTPConnection.SMTPError | null>((resolve) => {
    timer = setTimeout(
      () => resolve(new Error("The mail server did not respond in time.")),
      DEADLINE_MS,
    );
    // Nodemailer reads the stream once the server has replied to DATA.
    connection.send({ from, to: [to] }, Readable.from(streamMessage()), resolve);
  });
  clearTimeout(timer);
  if (!error) return { outcome: "accepted" };
  const wasStarted = hasStarted;
  // Nothing is sent from here on, even if the permission comes later.
  connection.close();
  // TypeScript does not see the assignment in the generator.
  const isPermitted = await (permission as Promise<boolean> | null);
  if (isPermitted === false) return { outcome: "stopped" };
  const reason = redactAddresses(error.message);
  const { responseCode } = error;
  // 421: the server is closing the session, whatever the recipient.
  if (responseCode && !(responseCode === 421 && !wasStarted))
    return { outcome: "refused", isPermanent: responseCode >= 500, reason };
  if (wasStarted) return { outcome: "uncertain", reason };
  // The caller has recorded it as being sent, so it must schedule another try.
  return isPermitted
    ? { outcome: "refused", isPermanent: false, reason }
    : { outcome: "unreachable", reason };
}
