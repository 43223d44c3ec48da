// A log-in by mail, up to its last press of a button: that one is a write which must not be lost.

import type { TestSmtpServer } from "#tests/smtp-server.ts";
import type { Cluster } from "./cluster.ts";
import { Traveller, anyOf, sessionKeyOf } from "./traveller.ts";
import { waitUntil } from "./wait.ts";

const MAIL_MS = 10_000;

export interface LoggedIn {
  /** The primary key of its row. */
  readonly key: string;
  /** When the button was pressed and the answer there; performance.now(). */
  readonly sentMs: number;
  readonly atMs: number;
}

/**
 * Asks for the mail of a member and opens its link, through regions by chance. What comes back presses the button, and resolves to
 * the session. Both throw with what the site answered when it refuses.
 */
export async function beginLogin(
  cluster: Cluster,
  smtp: TestSmtpServer,
  email: string,
): Promise<() => Promise<LoggedIn>> {
  const region = () => anyOf([...cluster.edges.keys()]);
  const visitor = new Traveller(cluster);
  try {
    const before = smtp.mails.length;
    const asked = await visitor.post(
      region(),
      "/login",
      await visitor.form(region(), "/login", ["email"]),
      { email },
    );
    if (asked.status !== 303) throw new Error(`The mail was not sent: ${asked.status}`);
    const mail = await waitUntil("The log-in mail is there", MAIL_MS, () =>
      smtp.mails.slice(before).find(({ to }) => to.includes(email)),
    );
    const { pathname, search } = new URL(/http:\S+\/login\/confirm\S+/.exec(mail!.text)![0]);
    const form = await visitor.form(region(), pathname + search, ["token"]);
    return async () => {
      try {
        const sentMs = performance.now();
        const { status } = await visitor.post(region(), pathname + search, form, {});
        const atMs = performance.now();
        const session = visitor.cookies.get("session");
        if (!session) throw new Error(`The log-in was refused: ${status}`);
        return { key: await sessionKeyOf(cluster, session), sentMs, atMs };
      } finally {
        visitor.leave();
      }
    };
  } catch (error) {
    visitor.leave();
    throw error;
  }
}
