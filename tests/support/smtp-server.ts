// Starts a real SMTP server that captures emails, and rejects them or hangs on demand.

import type { AddressInfo, Socket } from "node:net";
import { simpleParser } from "mailparser";
import { SMTPServer, type SMTPServerSession } from "smtp-server";

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

/**
 * MAIL FROM, RCPT TO and DATA have arrived; the message has arrived; it has been accepted. Only the
 * last one has been answered.
 */
export type SmtpStep = "mail" | "recipient" | "data" | "message" | "accepted";

export interface TestSmtpServer {
  /** The value for SMTP_URL. */
  readonly url: string;
  /** Oldest first. */
  readonly emails: CapturedEmail[];
  /** Attempts to send an email, including refused ones. */
  attemptCount: number;
  mode: SmtpMode;
  /**
   * Called at each step with what closes the connection. A reply, such as "451 Busy", refuses the
   * recipient or the message. A message that arrived before a disconnect is kept without a reply.
   */
  onStep: ((step: SmtpStep, disconnect: () => void, to: string) => string | void) | null;
  /** Called when a message has arrived. The server replies after the promise has resolved. */
  holdMessage: ((to: string) => Promise<unknown>) | null;
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
    onMailFrom(_address, session, done) {
      host.attemptCount += 1;
      step("mail", session);
      if (host.mode === "hang") return;
      if (host.mode === "refuse-once") {
        host.mode = "ok";
        return done(Object.assign(new Error("Busy, come again"), { responseCode: 421 }));
      }
      done();
    },
    onRcptTo({ address }, session, done) {
      done(
        host.mode === "refuse"
          ? Object.assign(new Error(`No such mailbox: ${address}`), { responseCode: 550 })
          : step("recipient", session, address),
      );
    },
    onData(stream, session, done) {
      step("data", session);
      simpleParser(stream).then(
        async (parsed) => {
          await host.holdMessage?.(session.envelope.rcptTo[0]!.address);
          const refusal = step("message", session);
          if (refusal) return done(refusal);
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
          step("accepted", session);
        },
        (error: Error) => done(error),
      );
    },
  });
  const findConnection = ({ id }: { id: string }) =>
    [
      ...(server as unknown as { connections: Set<{ id: string; _socket: Socket }> }).connections,
    ].find((connection) => connection.id === id);
  function step(
    name: SmtpStep,
    session: SMTPServerSession,
    to = session.envelope.rcptTo[0]?.address ?? "",
  ): Error | null {
    const reply = host.onStep?.(
      name,
      () => findConnection(session)?._socket.destroy(),
      to.toLowerCase(),
    );
    const [, code, text] = /^(\d{3}) (.*)/.exec(reply ?? "") ?? [];
    return code ? Object.assign(new Error(text), { responseCode: Number(code) }) : null;
  }
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
    onStep: null,
    holdMessage: null,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
  return host;
}
