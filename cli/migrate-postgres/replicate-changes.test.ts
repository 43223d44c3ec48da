import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { assertInvariant } from "#tests/support/invariants.ts";
import { createSql } from "#lib/db/connection.ts";
import { findCounterMismatches, rebuildCounters } from "#lib/reading/rebuild-counters.sql.ts";
import { replicateChanges } from "./replicate-changes.ts";
import { type Migration, getCompleteCopy, openSnapshot, withSnapshot } from "./migration.ts";
import { dropSlot } from "./replication-slot.ts";
import { migrationFiles } from "./migration-state.ts";
import {
  ODDITIES,
  createSourceDatabase,
  readSourceId,
  runSql,
} from "#tests/support/source-site.ts";
import { TRANSACTION_KINDS } from "#tests/support/source-transactions.ts";
import { openTargetRows } from "#tests/support/source-ledger.ts";
import { startSourceWriter } from "#tests/support/source-writer.ts";
import { type TestPostgres, startPostgres } from "#tests/support/postgres.ts";
import { findPostgres } from "../../scripts/find-postgres.mjs";
import { copySource } from "./copy-command.ts";
import { refillKeylessTables } from "./full-resync.ts";
import { closeSource, connectSource } from "./source-connection.ts";
import { type MigrationOptions } from "./options.ts";
import { readCurrentPosition } from "./replication-slot.ts";
import { verifyMigration } from "./verify-command.ts";

describe.skipIf(!findPostgres())("replicating a source", () => {
  let server: TestPostgres;
  let dir: string;
  let url: string;
  let migration: Migration;
  let stop: AbortController;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.close());
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "lectern-replicate-"));
    url = await createSourceDatabase(server);
    setUp();
  });
  afterEach(async () => {
    stop.abort();
    await dropSlot(url);
    rmSync(dir, { recursive: true, force: true });
  });

  function setUp(options: MigrationOptions = { unknown: "stop", invalidRows: "stop" }): void {
    stop = new AbortController();
    migration = {
      url,
      targetFile: join(dir, "migrated.db"),
      servedFile: join(dir, "migrated.db"),
      options,
      hasLegacyCookieSecret: false,
      rebuildCounters,
      onEvent: () => {},
      signal: stop.signal,
    };
  }

  /** Applies everything committed so far. */
  async function catchUp(): Promise<number> {
    const state = await getCompleteCopy(migration);
    return (
      await replicateChanges({
        url,
        file: migrationFiles(migration.targetFile).staging,
        state,
        until: await readCurrentPosition(url),
        signal: stop.signal,
      })
    ).changes;
  }

  function read<Row>(sql: string, ...values: unknown[]): Row[] {
    const db = new Database(migrationFiles(migration.targetFile).staging, { readonly: true });
    try {
      return db.prepare(sql).all(...values) as Row[];
    } finally {
      db.close();
    }
  }

  const mix = Object.fromEntries(Object.keys(TRANSACTION_KINDS).map((name) => [name, 4]));

  test("applies every kind of transaction in order, exactly once, with the read counters", async () => {
    await copySource(migration);
    const writer = await startSourceWriter(url, { perSecond: 2_000, connections: 4, mix });
    const following = catchUpUntil(() => writer.ledger.committed > 400);
    const changes = await following;
    await writer.stop();
    await catchUp();
    expect(changes).toBeGreaterThan(250);
    const { find, close } = openTargetRows(migrationFiles(migration.targetFile).staging);
    assertInvariant("every committed write is there", await writer.ledger.check(find));
    close();
    expect((await verifyMigration(migration)).isEqual).toBe(true);
    const db = new Database(migrationFiles(migration.targetFile).staging);
    expect(findCounterMismatches(createSql(db))).toEqual([]);
    expect(db.pragma("integrity_check", { simple: true })).toBe("ok");
    db.close();
  });

  /** Replicates until `isEnough`. */
  async function catchUpUntil(isEnough: () => boolean): Promise<number> {
    const state = await getCompleteCopy(migration);
    const stopping = new AbortController();
    const poll = setInterval(() => isEnough() && stopping.abort(), 20);
    try {
      return (
        await replicateChanges({
          url,
          file: migrationFiles(migration.targetFile).staging,
          state,
          signal: stopping.signal,
        })
      ).changes;
    } finally {
      clearInterval(poll);
    }
  }

  test("applies no change twice, and loses none between restarts", async () => {
    await copySource(migration);
    const writer = await startSourceWriter(url, { perSecond: 1_000, connections: 4, mix });
    for (let i = 1; i <= 5; i += 1) await catchUpUntil(() => writer.ledger.committed > i * 60);
    await writer.stop();
    await catchUp();
    expect(await catchUp()).toBe(0);
    const { find, close } = openTargetRows(migrationFiles(migration.targetFile).staging);
    assertInvariant("every committed write is there", await writer.ledger.check(find));
    close();
  });

  test("verifies one snapshot while the source is written to", async () => {
    await copySource(migration);
    const writer = await startSourceWriter(url, { perSecond: 500, connections: 4, mix });
    for (let i = 0; i < 2; i += 1) expect((await verifyMigration(migration)).isEqual).toBe(true);
    expect(writer.ledger.committed).toBeGreaterThan(0);
    await writer.stop();
  });

  test("preserves byte order marks, dates before 1970 and unchanged TOASTed values", async () => {
    await copySource(migration);
    await runSql(
      url,
      `UPDATE "User" SET "firstName" = E'\\uFEFFmarked', "createdAt" = '1969-12-31 23:59:59.999' WHERE "id" = ${await quotedId("user", 2)}`,
      `UPDATE "Call" SET "title" = 'new title'`,
    );
    expect(await catchUp()).toBeGreaterThan(1);
    expect(
      read<{ firstName: string; createdAt: number }>(
        `SELECT "firstName", "createdAt" FROM "User" WHERE "firstName" LIKE '%marked'`,
      ),
    ).toEqual([{ firstName: "\uFEFFmarked", createdAt: -1 }]);
    expect((await verifyMigration(migration)).isEqual).toBe(true);
  });

  const quotedId = async (what: "user" | "session" | "read", n: number) =>
    `'${await readSourceId(url, what, n)}'`;

  test("applies a changed member id, and a truncated and refilled table", async () => {
    await copySource(migration);
    await runSql(
      url,
      `UPDATE "User" SET "id" = 'another' WHERE "id" = ${await quotedId("user", 3)}`,
    );
    await catchUp();
    expect((await verifyMigration(migration)).isEqual).toBe(true);
    expect(read(`SELECT 1 FROM "PostRead" WHERE "userId" = 'another'`).length).toBeGreaterThan(0);
    await runSql(
      url,
      `TRUNCATE "User" CASCADE`,
      `INSERT INTO "User" ("id", "updatedAt", "email", "firstName", "team") VALUES ('first', now(), 'a@example.com', 'A', 'RED')`,
    );
    await catchUp();
    expect((await verifyMigration(migration)).isEqual).toBe(true);
    expect(read(`SELECT "id" FROM "User"`)).toEqual([{ id: "first" }]);
  });

  test("names an invalid row and rolls its transaction back", async () => {
    await runSql(url, ODDITIES.extraLabel);
    await copySource(migration);
    const before = read(`SELECT "firstName" FROM "User" ORDER BY "id"`);
    await runSql(
      url,
      `BEGIN; UPDATE "User" SET "firstName" = 'half'; UPDATE "User" SET "team" = 'GREEN' WHERE "id" = ${await quotedId("user", 4)}; COMMIT`,
    );
    const id = await readSourceId(url, "user", 4);
    await expect(catchUp()).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining(id),
    });
    expect(read(`SELECT "firstName" FROM "User" ORDER BY "id"`)).toEqual(before);
  });

  test("quarantines an invalid member with their rows, and restores them together", async () => {
    await runSql(url, ODDITIES.extraLabel);
    setUp({ unknown: "stop", invalidRows: "quarantine" });
    await copySource(migration);
    const id = await quotedId("user", 4);
    const reads = () => read(`SELECT "id" FROM "PostRead" WHERE "userId" = ${id} ORDER BY "id"`);
    const before = reads();
    expect(before.length).toBeGreaterThan(2);
    await runSql(url, `UPDATE "User" SET "team" = 'GREEN' WHERE "id" = ${id}`);
    await catchUp();
    expect(reads()).toEqual([]);
    expect((await verifyMigration(migration)).isEqual).toBe(true);
    await runSql(
      url,
      `UPDATE "User" SET "firstName" = 'Verde' WHERE "id" = ${id}`,
      `UPDATE "PostRead" SET "postSlug" = 'elsewhere' WHERE "userId" = ${id}`,
      `UPDATE "User" SET "team" = 'RED' WHERE "id" = ${id}`,
    );
    await catchUp();
    expect(reads()).toEqual(before);
    expect(read(`SELECT * FROM "_quarantined_rows"`)).toEqual([]);
    expect((await verifyMigration(migration)).isEqual).toBe(true);
  });

  test("quarantines orphans of a source without foreign keys until their member arrives", async () => {
    await runSql(url, ODDITIES.orphans);
    setUp({ unknown: "stop", invalidRows: "quarantine" });
    await copySource(migration);
    await runSql(url, `DELETE FROM "User" WHERE "id" = ${await quotedId("user", 5)}`);
    await catchUp();
    expect((await verifyMigration(migration)).isEqual).toBe(true);
    await runSql(
      url,
      `INSERT INTO "User" ("id", "updatedAt", "email", "firstName", "team") VALUES (${await quotedId("user", 5)}, now(), 'five@example.com', 'Five', 'BLUE'), ('nobody', now(), 'nobody@example.com', 'Nobody', 'BLUE')`,
    );
    await catchUp();
    expect((await verifyMigration(migration)).isEqual).toBe(true);
    expect(read(`SELECT "userId" FROM "Session" WHERE "userId" = 'nobody'`)).toHaveLength(1);
    expect(read(`SELECT * FROM "_quarantined_rows"`)).toEqual([]);
  });

  test("quarantines the rows of truncated members of a source without foreign keys", async () => {
    for (const table of ["Session", "Call", "PostRead"])
      await runSql(url, `ALTER TABLE "${table}" DROP CONSTRAINT "${table}_userId_fkey"`);
    setUp({ unknown: "stop", invalidRows: "quarantine" });
    await copySource(migration);
    await runSql(url, `TRUNCATE "User"`);
    await catchUp();
    expect((await verifyMigration(migration)).isEqual).toBe(true);
    expect(read(`SELECT 1 FROM "_quarantined_rows" WHERE "source" = 'Session'`)).toHaveLength(90);
  });

  test("fails with a remedy if the source stops sending the keys of changed rows", async () => {
    await copySource(migration);
    await runSql(
      url,
      `ALTER TABLE "User" REPLICA IDENTITY USING INDEX "User.email_unique"`,
      `DELETE FROM "User" WHERE "role" <> 'ADMIN'`,
    );
    await expect(catchUp()).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("REPLICA IDENTITY"),
    });
  });

  test("fails with a remedy if the slot is missing", async () => {
    await copySource(migration);
    await dropSlot(url);
    await expect(catchUp()).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("copy again"),
    });
  });

  test("updates side tables, even without a key", async () => {
    for (const odd of [
      "unknownColumns",
      "unknownSessionColumn",
      "unknownTable",
      "unknownTableWithoutKey",
    ] as const)
      await runSql(url, ODDITIES[odd]);
    setUp({ unknown: "keep", invalidRows: "stop" });
    await copySource(migration);
    await runSql(
      url,
      `UPDATE "User" SET "nickname" = 'renamed', "settings" = NULL WHERE "discordId" IS NOT NULL`,
      `DELETE FROM "Bookmark" WHERE "userId" < '8'`,
      `UPDATE "Bookmark" SET "slug" = 'y'`,
      `INSERT INTO "Log" VALUES ('two')`,
      `DELETE FROM "Log" WHERE "line" = 'one'`,
      `UPDATE "Session" SET "id" = "id" || 'x', "userAgent" = 'Chromium'`,
    );
    expect((await verifyMigration(migration)).isEqual).toBe(true);
    expect(read(`SELECT "line" FROM "_source_Log" ORDER BY 1`)).toEqual([
      { line: null },
      { line: "two" },
    ]);
  });

  test("keeps the rows of a table without a key if its source is silent or the disk is full", async () => {
    await runSql(url, `CREATE TABLE "Log" ("line" text)`, `INSERT INTO "Log" VALUES ('one')`);
    setUp({ unknown: "keep", invalidRows: "stop" });
    await copySource(migration);
    const state = await getCompleteCopy(migration);
    const file = migrationFiles(migration.targetFile).staging;
    const { signal } = stop;
    const [source, other] = [await openSnapshot(url, null), await connectSource(url)];
    await other.query(`BEGIN; LOCK TABLE public."Log"`);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const failure = expect(refillKeylessTables({ source, file, state, signal })).rejects.toThrow(
      /has sent nothing for 600 seconds/,
    );
    await vi.advanceTimersByTimeAsync(600_000);
    vi.useRealTimers();
    await failure;
    await Promise.all([source, other].map(closeSource));
    // Makes SQLite roll back by itself, as it does if the disk is full.
    const db = new Database(file);
    db.exec(
      `CREATE TRIGGER "full" BEFORE INSERT ON "_source_Log" BEGIN SELECT RAISE(ROLLBACK, 'full'); END`,
    );
    db.close();
    await expect(
      withSnapshot(url, null, (client) =>
        refillKeylessTables({ source: client, file, state, signal }),
      ),
    ).rejects.toThrow(/^full$/);
    expect(read(`SELECT "line" FROM "_source_Log"`)).toEqual([{ line: "one" }]);
  });

  test("fails with a remedy if a column is added", async () => {
    await copySource(migration);
    await runSql(url, `ALTER TABLE "User" ADD "late" text`, `UPDATE "User" SET "firstName" = 'x'`);
    await expect(catchUp()).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("late"),
    });
  });

  test("rejects a second replication, and another migration's file", async () => {
    await copySource(migration);
    const state = await getCompleteCopy(migration);
    const first = replicateChanges({
      url,
      file: migrationFiles(migration.targetFile).staging,
      state,
      signal: stop.signal,
    });
    await expect(
      replicateChanges({
        url,
        file: migrationFiles(migration.targetFile).staging,
        state,
        until: "0/0",
        signal: stop.signal,
      }),
    ).rejects.toMatchObject({ code: "unavailable" });
    stop.abort();
    await first;
    await expect(
      replicateChanges({
        url,
        file: migrationFiles(migration.targetFile).staging,
        state: { ...state, id: "another" },
        until: "0/0",
        signal: new AbortController().signal,
      }),
    ).rejects.toMatchObject({ code: "conflict" });
  });

  test("waits for a crashed server", async () => {
    await copySource(migration);
    // Recovery would repeat what the other tests wrote.
    await runSql(url, "CHECKPOINT");
    const waits: string[] = [];
    const state = await getCompleteCopy(migration);
    const going = replicateChanges({
      url,
      file: migrationFiles(migration.targetFile).staging,
      state,
      signal: stop.signal,
      onProgress: ({ waiting }) => waiting && waits.push(waiting),
    });
    await runSql(url, `UPDATE "User" SET "firstName" = 'before'`);
    await server.stop("immediate");
    await until(() => waits.length > 0);
    await server.start();
    await runSql(url, `UPDATE "User" SET "firstName" = 'after' WHERE "role" = 'ADMIN'`);
    await until(() => read(`SELECT 1 FROM "User" WHERE "firstName" = 'after'`).length === 1);
    stop.abort();
    await going;
    setUp();
    expect((await verifyMigration(migration)).isEqual).toBe(true);
    expect(waits.join(" ")).not.toContain("127.0.0.1");
  });

  async function until(condition: () => boolean): Promise<void> {
    const deadline = Date.now() + 30_000;
    while (!condition()) {
      if (Date.now() > deadline) throw new Error("not within 30 s");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
});
