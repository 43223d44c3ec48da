// Logs in by email up to the last form, whose submission is a write that must not be lost.

import type { TestSmtpServer } from "#tests/support/smtp-server.ts";
import type { Cluster } from "#cli/cluster/cluster.ts";
import { pick } from "#tests/support/random.ts";
import { ClusterClient } from "./cluster-client.ts";
import { readSessionKey } from "./cluster-secret.ts";
import { waitUntil } from "#cli/cluster/wait-until.ts";

const EMAIL_TIMEOUT_MS = 10_000;

export interface CompletedLogin {
  /** The primary key of the session's row. */
  readonly sessionKey: string;
  /** When the form was submitted and when the response arrived, by performance.now(). */
  readonly sentMs: number;
  readonly answeredMs: number;
}

/**
 * Requests a login email and opens its link, through random regions. Returns a function that
 * submits the form and resolves to the session. Both throw if the site rejects the login.
 */
export async function startEmailLogin(
  cluster: Cluster,
  smtp: TestSmtpServer,
  email: string,
): Promise<() => Promise<CompletedLogin>> {
  const region = () => pick(Math.random, [...cluster.edges.keys()]);
  const client = new ClusterClient(cluster);
  try {
    const before = smtp.emails.length;
    const response = await client.submitForm(
      region(),
      "/login",
      await client.findForm(region(), "/login", ["email"]),
      { email },
    );
    if (response.status !== 303) throw new Error(`The email was not sent: ${response.status}`);
    const message = await waitUntil("The login email has arrived", EMAIL_TIMEOUT_MS, () =>
      smtp.emails.slice(before).find(({ to }) => to.includes(email)),
    );
    const { pathname, search } = new URL(/http:\S+\/login\/confirm\S+/.exec(message!.text)![0]);
    const form = await client.findForm(region(), pathname + search, ["token"]);
    return async () => {
      try {
        const sentMs = performance.now();
        const { status } = await client.submitForm(region(), pathname + search, form, {});
        const answeredMs = performance.now();
        const session = client.cookies.get("session");
        if (!session) throw new Error(`The login was refused: ${status}`);
        return { sessionKey: await readSessionKey(cluster, session), sentMs, answeredMs };
      } finally {
        client.close();
      }
    };
  } catch (error) {
    client.close();
    throw error;
  }
}
