// A log-in by mail, up to its last press of a button: that one is a write which must not be lost.

import type { TestSmtpServer } from "#tests/support/smtp-server.ts";
import type { Cluster } from "#cli/cluster/cluster.ts";
import { pick } from "#tests/support/random.ts";
import { ClusterClient } from "./cluster-client.ts";
import { readSessionKey } from "./cluster-secret.ts";
import { waitUntil } from "#cli/cluster/wait-until.ts";

const EMAIL_TIMEOUT_MS = 10_000;

export interface CompletedLogin {
  /** The primary key of its row. */
  readonly sessionKey: string;
  /** When the button was pressed and the answer there; performance.now(). */
  readonly sentMs: number;
  readonly answeredMs: number;
}

/**
 * Asks for the mail of a member and opens its link, through regions by chance. What comes back presses the button, and resolves to
 * the session. Both throw with what the site answered when it refuses.
 */
export async function startEmailLogin(
  cluster: Cluster,
  smtp: TestSmtpServer,
  email: string,
): Promise<() => Promise<CompletedLogin>> {
  const region = () => pick(Math.random, [...cluster.edges.keys()]);
  const visitor = new ClusterClient(cluster);
  try {
    const before = smtp.emails.length;
    const asked = await visitor.submitForm(
      region(),
      "/login",
      await visitor.findForm(region(), "/login", ["email"]),
      { email },
    );
    if (asked.status !== 303) throw new Error(`The mail was not sent: ${asked.status}`);
    const mail = await waitUntil("The log-in mail is there", EMAIL_TIMEOUT_MS, () =>
      smtp.emails.slice(before).find(({ to }) => to.includes(email)),
    );
    const { pathname, search } = new URL(/http:\S+\/login\/confirm\S+/.exec(mail!.text)![0]);
    const form = await visitor.findForm(region(), pathname + search, ["token"]);
    return async () => {
      try {
        const sentMs = performance.now();
        const { status } = await visitor.submitForm(region(), pathname + search, form, {});
        const atMs = performance.now();
        const session = visitor.cookies.get("session");
        if (!session) throw new Error(`The log-in was refused: ${status}`);
        return { sessionKey: await readSessionKey(cluster, session), sentMs, answeredMs: atMs };
      } finally {
        visitor.close();
      }
    };
  } catch (error) {
    visitor.close();
    throw error;
  }
}
