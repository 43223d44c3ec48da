// A mail server for tests: real SMTP on a port of this machine, which keeps what it is sent, refuses or hangs at will.

import type { AddressInfo } from "node:net";
import { simpleParser } from "mailparser";
import { SMTPServer } from "smtp-server";

export type SmtpMode =
  | "ok"
  /** 550 to every recipient: an address that is not there. */
  | "refuse"
  /** 421 to the next mail, then as "ok": a server that is busy. */
  | "refuse-once"
  /** Takes the connection and the sender, and then says nothing more. */
  | "hang";

export interface CapturedEmail {
  readonly from: string;
  /** Whom the envelope names, in lower case: who really gets it. */
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** Every header's name in lower case, as often as it stands there. */
  readonly headerNames: readonly string[];
  /** By this machine's clock. */
  readonly receivedAtMs: number;
}

export interface TestSmtpServer {
  /** For SMTP_URL. */
  readonly url: string;
  /** Oldest first. */
  readonly emails: CapturedEmail[];
  /** Mails that were begun, also those that were refused. */
  attemptCount: number;
  mode: SmtpMode;
  close(): Promise<void>;
}

/** Starts a server on 127.0.0.1, on a free port unless `port` says which. Without TLS and without a password: nothing leaves this machine. */
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
            receivedAtMs: Date.now(),
          });
          done();
        },
        (error: Error) => done(error),
      );
    },
  });
  // A client that goes away in the middle is what some tests are about.
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
