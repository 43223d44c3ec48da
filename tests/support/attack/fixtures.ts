// Extends Playwright's test with the site under attack, its database and accounts. Fails tests that
// break the server.

import { join } from "node:path";
import { test as base, expect } from "@playwright/test";
import Database from "better-sqlite3";
import { overrideEnv } from "#tests/support/override-env.ts";
import { ATTACK_DIR, SECRET } from "#tests/support/e2e/site-under-test.ts";
import { type TableHashes, diffTableHashes, hashTables } from "./table-hashes.ts";
import { type AttackServer, ORIGIN, startAttackServer } from "./attack-server.ts";
import { type AttackFixture, insertAttackFixture } from "./attack-fixture.ts";

// The site's own functions make tokens in this process, with its secret.
overrideEnv({ SESSION_SECRET: SECRET, SITE_URL: ORIGIN });

interface WorkerFixtures {
  readonly site: AttackSite;
  /** A test file that sets another name gets its own site. */
  readonly siteName: string;
}

interface AttackSite {
  readonly server: AttackServer;
  readonly db: Database.Database;
}

interface Fixtures {
  /** Inserts accounts for this test, deleted after it. */
  insertFixture: () => Promise<AttackFixture>;
  /** Returns the hashes of all tables once no delivery is pending. */
  hashTablesWhenIdle: () => Promise<TableHashes>;
  /** Moves the server's clock, reset after the test. */
  setClock: (offsetMs: number) => Promise<void>;
  failOnServerError: undefined;
}

export const test = base.extend<Fixtures, WorkerFixtures>({
  siteName: ["shared", { option: true, scope: "worker" }],
  site: [
    async ({ browserName: _ }, use) => {
      const server = await startAttackServer();
      const db = new Database(join(ATTACK_DIR, "lectern.db"), { timeout: 5_000 });
      db.pragma("foreign_keys = ON");
      await use({ server, db });
      db.close();
      await server.stop();
    },
    { scope: "worker", timeout: 90_000 },
  ],
  insertFixture: async ({ site: { db } }, use) => {
    const inserted: AttackFixture[] = [];
    await use(async () => {
      const fixture = await insertAttackFixture(db);
      inserted.push(fixture);
      return fixture;
    });
    for (const fixture of inserted)
      for (const { id } of Object.values(fixture))
        db.prepare(`DELETE FROM "User" WHERE "id" = ?`).run(id);
  },
  hashTablesWhenIdle: async ({ site: { db } }, use) => {
    const pending = db
      .prepare(
        `SELECT (SELECT COUNT(*) FROM "Delivery" WHERE "nextTryAt" IS NOT NULL) + (SELECT COUNT(*) FROM "NewsletterIssue" WHERE "state" = 'SENDING')`,
      )
      .pluck();
    // SQLite counts commits of other connections, and changes by this one.
    const commits = db.prepare("PRAGMA data_version").pluck();
    const changes = db.prepare("SELECT total_changes()").pluck();
    let last: { readonly version: string; readonly hashes: TableHashes } | undefined;
    await use(async () => {
      // An action's deliveries are sent and deleted after its commit. Most requests have none, and
      // Playwright takes longer to record a step than SQLite to count.
      if (pending.get() !== 0)
        await expect
          .poll(() => pending.get(), {
            message: "pending deliveries",
            timeout: 10_000,
            intervals: [20, 50, 100, 200],
          })
          .toBe(0);
      const version = `${commits.get()} ${changes.get()}`;
      if (last?.version !== version) last = { version, hashes: hashTables(db) };
      return last.hashes;
    });
  },
  setClock: async ({ site: { server } }, use) => {
    await use((offsetMs) => server.setClock(offsetMs));
    await server.setClock(0);
  },
  failOnServerError: [
    async ({ site: { server } }, use) => {
      const from = server.readOutput().length;
      await use(undefined);
      expect(await server.describeFailure()).toBeNull();
      const errors = server
        .readOutput()
        .slice(from)
        .split("\n")
        .filter((line) => line.includes('"level":"error"'));
      expect(errors, "errors in the server's log").toEqual([]);
    },
    { auto: true },
  ],
});

/** "Last seen" is updated by any request, at most once an hour. */
const IGNORED_TABLES = new Set(["SessionInfo"]);

export const listChangedTables = (before: TableHashes, after: TableHashes): string[] =>
  diffTableHashes(before, after).filter((table) => !IGNORED_TABLES.has(table));

export { expect };
