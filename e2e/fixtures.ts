// What every browser test begins with: a page whose console errors fail the test, the site's database, its clock, a member.

import { join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import { test as base, expect } from "@playwright/test";
import Database from "better-sqlite3";
import { insertUser } from "#tests/factories.ts";
import { sqlOf } from "#lib/db/connection.ts";
import { CONTROL_PORT, DATA_DIR, PORT } from "./ports.ts";
import { memberCookie } from "./member-cookie.ts";

interface Fixtures {
  /** Console errors that this test expects, by a part of their text. */
  expectedErrors: string[];
  noConsoleErrors: undefined;
  /** Moves the browser's and the server's clock, and puts the server's back after the test. */
  serverClock: { forward(ms: number): Promise<void> };
  database: Database.Database;
  /** Logs the browser in as a new member; returns its id. */
  logIn: (given?: { role?: string; team?: string; firstName?: string }) => Promise<string>;
  axe: () => AxeBuilder;
}

export const test = base.extend<Fixtures>({
  expectedErrors: [[], { option: true }],
  noConsoleErrors: [
    async ({ page, expectedErrors }, use) => {
      const errors: string[] = [];
      page.on("console", (message) => {
        if (message.type() === "error") errors.push(message.text());
      });
      page.on("pageerror", (error) => errors.push(String(error)));
      await use(undefined);
      expect(errors.filter((text) => !expectedErrors.some((part) => text.includes(part)))).toEqual([]);
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
    const db = new Database(join(DATA_DIR, "lectern.db"), { timeout: 5_000 });
    await use(db);
    db.close();
  },
  logIn: async ({ context, database }, use) => {
    await use(async (given = {}) => {
      const user = insertUser(sqlOf(database), given);
      await context.addCookies([{ ...(await memberCookie(database, user.id)), url: `http://localhost:${PORT}` }]);
      return user.id;
    });
  },
  axe: async ({ page }, use) => {
    await use(() => new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]));
  },
});

export { expect };
