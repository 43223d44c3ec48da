// What every browser test begins with: a page whose console errors fail the test, the site's database, its clock, a member.

import AxeBuilder from "@axe-core/playwright";
import { test as base, expect } from "@playwright/test";
import type Database from "better-sqlite3";
import { insertUser } from "#tests/support/factories.ts";
import { createSql } from "#lib/db/connection.ts";
import type { CapturedEmail } from "#tests/support/smtp-server.ts";
import { openSiteDatabase } from "./site-database.ts";
import { insertMemberSession } from "./member-session.ts";
import { CONTROL_PORT, IS_CLUSTER, PORT, EMBED_PROVIDER_PORT } from "./site-under-test.ts";

interface Fixtures {
  /** Console errors that this test expects, by a part of their text. */
  expectedErrors: string[];
  failOnConsoleError: undefined;
  failOnClusterFault: undefined;
  /** Moves the browser's and the server's clock, and puts the server's back after the test. */
  serverClock: { forward(ms: number): Promise<void> };
  /** The site's; on a cluster the primary's, and what is written directly is at once in ams too. */
  database: Database.Database;
  /** Logs the browser in as a new member; returns its id. */
  logIn: (given?: { role?: string; team?: string; firstName?: string }) => Promise<string>;
  /**
   * The newest mail to `address` that came since this test began and was not given to it before; waits for one up to ten seconds.
   */
  waitForEmail: (address: string) => Promise<CapturedEmail>;
  makeAxeBuilder: () => AxeBuilder;
}

export const test = base.extend<Fixtures>({
  expectedErrors: [[], { option: true }],
  failOnConsoleError: [
    async ({ page, expectedErrors }, use) => {
      const errors: string[] = [];
      page.on("console", (message) => {
        if (message.type() === "error") errors.push(message.text());
      });
      page.on("pageerror", (error) => errors.push(String(error)));
      await use(undefined);
      expect(errors.filter((text) => !expectedErrors.some((part) => text.includes(part)))).toEqual(
        [],
      );
    },
    { auto: true },
  ],
  failOnClusterFault: [
    async ({ page: _ }, use) => {
      await use(undefined);
      if (IS_CLUSTER)
        expect(
          await (await fetch(`http://127.0.0.1:${CONTROL_PORT}/faults`)).json(),
          "what the edge could not deliver, and what the nodes logged as a fault",
        ).toEqual([]);
    },
    { auto: true },
  ],
  serverClock: async ({ page: _ }, use) => {
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
  database: async ({ page: _ }, use) => {
    const db = await openSiteDatabase();
    await use(db);
    db.close();
  },
  logIn: async ({ context, database }, use) => {
    await use(async (given = {}) => {
      const user = insertUser(createSql(database), given);
      await context.addCookies([
        { ...(await insertMemberSession(database, user.id)), url: `http://localhost:${PORT}` },
      ]);
      return user.id;
    });
  },
  waitForEmail: async ({ page: _ }, use) => {
    const beganAtMs = Date.now();
    const given = new Map<string, number>(); // address → when the last mail that was given came
    await use(async (address) => {
      let newest: CapturedEmail | undefined;
      const sinceMs = given.get(address) ?? beganAtMs - 1;
      await expect
        .poll(
          async () => {
            const mails = (await (
              await fetch(
                `http://127.0.0.1:${EMBED_PROVIDER_PORT}/mails?to=${encodeURIComponent(address)}`,
              )
            ).json()) as CapturedEmail[];
            newest = mails.findLast(({ receivedAtMs }) => receivedAtMs > sinceMs);
            return newest !== undefined;
          },
          { message: `a mail to ${address}`, timeout: 10_000 },
        )
        .toBe(true);
      const mail = newest as CapturedEmail;
      given.set(address, mail.receivedAtMs);
      return mail;
    });
  },
  makeAxeBuilder: async ({ page }, use) => {
    await use(() =>
      new AxeBuilder({ page }).withTags([
        "wcag2a",
        "wcag2aa",
        "wcag21a",
        "wcag21aa",
        "wcag22aa",
        "best-practice",
      ]),
    );
  },
});

export { expect };
