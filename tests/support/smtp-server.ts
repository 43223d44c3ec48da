// Starts a real SMTP server that captures emails, and rejects them or hangs on demand.

import type { AddressInfo } from "node:net";
import { simpleParser } from "mailparser";
import { SMTPServer } from "smtp-server";

export type SmtpMode =
  | "ok"
  /** 550 to every recipient, like an unknown mailbox. */
  | "refuse"
  /** 421 to the next email, then "ok", like a busy server. */
  | "refuse-once"
  /** Accepts the connection and never responds to MAIL FROM. */
  | "hang";

export interface CapturedEmail {
  readonly from: string;
  /** The recipients of the envelope, in lower case. */
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** All header names in lower case, with duplicates. */
  readonly headerNames: readonly string[];
  /** Unfolded, such as "Subject: Hello". */
  readonly headerLines: readonly string[];
  readonly receivedAtMs: number;
}

export interface TestSmtpServer {
  /** The value for SMTP_URL. */
  readonly url: string;
  /** Oldest first. */
  readonly emails: CapturedEmail[];
  /** Attempts to send an email, including refused ones. */
  attemptCount: number;
  mode: SmtpMode;
  close(): Promise<void>;
}

/** Starts the server on 127.0.0.1, by default on a free port, without TLS or authentication. */
export async function startSmtpServer({
  port = 0,
}: { port?: number } = {}): Promise<TestSmtpServer> {
  const server = new SMTPServer({
    disabledCommands: ["AUTH", "STARTTLS"],
    logger: false,
    closeTimeout: 100,
    onMailFrom(_address, _session, done) {
      host.attemptCount += 1;
      if (host.mode === "hang") return;
      if (host.mode === "refuse-once") {
        host.mode = "ok";
        return done(Object.assign(new Error("Busy, come again"), { responseCode: 421 }));
      }
      done();
    },
    onRcptTo({ address }, _session, done) {
      done(
        host.mode === "refuse"
          ? Object.assign(new Error(`No such mailbox: ${address}`), { responseCode: 550 })
          : null,
      );
    },
    onData(stream, session, done) {
      simpleParser(stream).then(
        (parsed) => {
          host.emails.push({
            from: parsed.from?.text ?? "",
            to: session.envelope.rcptTo.map(({ address }) => address.toLowerCase()),
            subject: parsed.subject ?? "",
            text: parsed.text ?? "",
            html: parsed.html || "",
            headerNames: parsed.headerLines.map(({ key }) => key),
            headerLines: parsed.headerLines.map(({ line }) => line.replace(/\r?\n[ \t]+/g, " ")),
            receivedAtMs: Date.now(),
          });
          done();
        },
        (error: Error) => done(error),
      );
    },
  });
  // Some tests abort the connection.
  server.on("error", () => {});
  await new Promise<void>((resolve, reject) => {
    server.server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const host: TestSmtpServer = {
    url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    emails: [],
    attemptCount: 0,
    mode: "ok",
    close: () => new Promise((resolve) => server.close(resolve)),
  };
  return host;
}
