// Extends Playwright's test: console errors fail it, and it gets the site's database, clock, emails
// and members.

import { test as base, expect } from "@playwright/test";
import type Database from "better-sqlite3";
import { insertUser } from "#tests/support/factories.ts";
import { fetchJson } from "#tests/support/fetch-json.ts";
import { createSql } from "#lib/db/connection.ts";
import type { CapturedEmail } from "#tests/support/smtp-server.ts";
import { openSiteDatabase } from "./site-database.ts";
import { insertMemberSession } from "./member-session.ts";
import { CONTROL_PORT, IS_CLUSTER, PORT, EMBED_PROVIDER_PORT } from "./site-under-test.ts";

interface Fixtures {
  /** Parts of console errors that this test expects. */
  expectedErrors: string[];
  failOnConsoleError: undefined;
  failOnClusterFault: undefined;
  /** Moves the server's clock, and resets it after the test. */
  serverClock: { forward(ms: number): Promise<void> };
  /**
   * The site's database. On a cluster, it is the primary's, and writes return once the replica in
   * ams has them.
   */
  database: Database.Database;
  /** Logs the browser in as a new member and returns the id. */
  logIn: (fields?: { role?: string; team?: string; firstName?: string }) => Promise<string>;
  /** Waits up to ten seconds for an email to `address` that this test has not received before. */
  waitForEmail: (address: string) => Promise<CapturedEmail>;
}

export const test = base.extend<Fixtures>({
  expectedErrors: [[], { option: true }],
  failOnConsoleError: [
    async ({ context, expectedErrors }, use) => {
      const errors: string[] = [];
      context.on("console", (message) => {
        if (message.type() === "error") errors.push(message.text());
      });
      context.on("weberror", (webError) => errors.push(String(webError.error())));
      await use(undefined);
      expect(errors.filter((text) => !expectedErrors.some((part) => text.includes(part)))).toEqual(
        [],
      );
    },
    { auto: true },
  ],
  failOnClusterFault: [
    async ({ browserName: _ }, use) => {
      await use(undefined);
      if (IS_CLUSTER)
        expect(
          await fetchJson(`http://127.0.0.1:${CONTROL_PORT}/faults`),
          "requests the edge could not deliver, and errors in the logs of the nodes",
        ).toEqual([]);
    },
    { auto: true },
  ],
  serverClock: async ({ browserName: _ }, use) => {
    let offsetMs = 0;
    const set = (ms: number) => fetch(`http://127.0.0.1:${CONTROL_PORT}/clock?offsetMs=${ms}`);
    await use({
      async forward(ms) {
        offsetMs += ms;
        await set(offsetMs);
      },
    });
    await set(0);
  },
  database: async ({ browserName: _ }, use) => {
    const db = await openSiteDatabase();
    await use(db);
    db.close();
  },
  logIn: async ({ context, database }, use) => {
    await use(async (fields = {}) => {
      const user = insertUser(createSql(database), fields);
      await context.addCookies([
        { ...(await insertMemberSession(database, user.id)), url: `http://localhost:${PORT}` },
      ]);
      return user.id;
    });
  },
  waitForEmail: async ({ browserName: _ }, use) => {
    const startedMs = Date.now();
    /** When the last returned email was received, by address. */
    const returnedMs = new Map<string, number>();
    await use(async (address) => {
      let newest: CapturedEmail | undefined;
      const sinceMs = returnedMs.get(address) ?? startedMs - 1;
      await expect
        .poll(
          async () => {
            const emails = await fetchJson<CapturedEmail[]>(
              `http://127.0.0.1:${EMBED_PROVIDER_PORT}/emails?to=${encodeURIComponent(address)}`,
            );
            newest = emails.findLast(({ receivedAtMs }) => receivedAtMs > sinceMs);
            return newest !== undefined;
          },
          { message: `an email to ${address}`, timeout: 10_000 },
        )
        .toBe(true);
      const email = newest as CapturedEmail;
      returnedMs.set(address, email.receivedAtMs);
      return email;
    });
  },
});

export { expect };
