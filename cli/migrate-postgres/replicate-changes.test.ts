import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { assertInvariant } from "#tests/support/invariants.ts";
import { createSql } from "#lib/db/connection.ts";
import { findCounterMismatches, rebuildCounters } from "#lib/reading/rebuild-counters.ts";
import { replicateChanges } from "./replicate-changes.ts";
import type { MigrationOptions } from "./table-mapping.ts";
import {
  type Migration,
  copySource,
  readCurrentPosition,
  getCompleteCopy,
  verifyMigration,
} from "./migration.ts";
import { dropSlot } from "./replication-slot.ts";
import { migrationFiles } from "./migration-state.ts";
import { ODDITIES, createSourceSite, readSourceId, runSql } from "#tests/support/source-site.ts";
import { TRANSACTION_KINDS } from "#tests/support/source-transactions.ts";
import { openTargetRows } from "#tests/support/source-ledger.ts";
import { startSourceWriter } from "#tests/support/source-writer.ts";
import { type TestPostgres, findPostgres, startPostgres } from "#tests/support/postgres.ts";

describe.skipIf(!findPostgres())("following a source", () => {
  let server: TestPostgres;
  let dir: string;
  let url: string;
  let move: Migration;
  let stop: AbortController;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.close());
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "lectern-follow-"));
    url = await server.createDatabase();
    await createSourceSite(url);
    begin();
  });
  afterEach(async () => {
    stop.abort();
    await dropSlot(url);
    rmSync(dir, { recursive: true, force: true });
  });

  function begin(choices: MigrationOptions = { unknown: "stop", unfit: "stop" }): void {
    stop = new AbortController();
    move = {
      url,
      targetFile: join(dir, "moved.db"),
      servedFile: join(dir, "moved.db"),
      choices,
      hasLegacyCookieSecret: false,
      rebuildCounters,
      onEvent: () => {},
      signal: stop.signal,
    };
  }

  /** Applies what is committed by now. */
  async function catchUp(): Promise<number> {
    const state = await getCompleteCopy(move);
    return (
      await replicateChanges({
        url,
        file: migrationFiles(move.targetFile).working,
        state,
        until: await readCurrentPosition(url),
        signal: stop.signal,
      })
    ).changes;
  }

  function read<Row>(sql: string, ...values: unknown[]): Row[] {
    const db = new Database(migrationFiles(move.targetFile).working, { readonly: true });
    try {
      return db.prepare(sql).all(...values) as Row[];
    } finally {
      db.close();
    }
  }

  const mix = Object.fromEntries(Object.keys(TRANSACTION_KINDS).map((name) => [name, 4]));

  test("every kind of transaction arrives, in order, once, and the counters of reads with it", async () => {
    await copySource(move);
    const writer = await startSourceWriter(url, { perSecond: 2_000, connections: 4, mix });
    const following = catchUpUntil(() => writer.ledger.committed > 800);
    const changes = await following;
    await writer.stop();
    await catchUp();
    expect(changes).toBeGreaterThan(500);
    const { find, close } = openTargetRows(migrationFiles(move.targetFile).working);
    assertInvariant("what was committed is there as it was", await writer.ledger.check(find));
    close();
    expect((await verifyMigration(move)).equal).toBe(true);
    const db = new Database(migrationFiles(move.targetFile).working);
    expect(findCounterMismatches(createSql(db))).toEqual([]);
    expect(db.pragma("integrity_check", { simple: true })).toBe("ok");
    db.close();
  });

  /** Follows until `isEnough`, then what has come is kept. */
  async function catchUpUntil(isEnough: () => boolean): Promise<number> {
    const state = await getCompleteCopy(move);
    const enough = new AbortController();
    const looking = setInterval(() => isEnough() && enough.abort(), 20);
    try {
      return (
        await replicateChanges({
          url,
          file: migrationFiles(move.targetFile).working,
          state,
          signal: enough.signal,
        })
      ).changes;
    } finally {
      clearInterval(looking);
    }
  }

  test("the same changes are not applied again, and a stop between two loses none", async () => {
    await copySource(move);
    const writer = await startSourceWriter(url, { perSecond: 1_000, connections: 4, mix });
    for (let i = 1; i <= 8; i += 1) await catchUpUntil(() => writer.ledger.committed > i * 60);
    await writer.stop();
    await catchUp();
    expect(await catchUp()).toBe(0);
    const { find, close } = openTargetRows(migrationFiles(move.targetFile).working);
    assertInvariant("what was committed is there as it was", await writer.ledger.check(find));
    close();
  });

  test("a comparison is of one state while the source is written to", async () => {
    await copySource(move);
    const writer = await startSourceWriter(url, { perSecond: 500, connections: 4, mix });
    for (let i = 0; i < 3; i += 1) expect((await verifyMigration(move)).equal).toBe(true);
    expect(writer.ledger.committed).toBeGreaterThan(0);
    await writer.stop();
  });

  test("texts that begin with a byte order mark, dates before 1970 and long values that did not change stay whole", async () => {
    await copySource(move);
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
    expect((await verifyMigration(move)).equal).toBe(true);
  });

  const quotedId = async (what: "user" | "session" | "read", n: number) =>
    `'${await readSourceId(url, what, n)}'`;

  test("a member's id that changes, and all of it emptied and filled anew", async () => {
    await copySource(move);
    await runSql(
      url,
      `UPDATE "User" SET "id" = 'another' WHERE "id" = ${await quotedId("user", 3)}`,
    );
    await catchUp();
    expect((await verifyMigration(move)).equal).toBe(true);
    expect(read(`SELECT 1 FROM "PostRead" WHERE "userId" = 'another'`).length).toBeGreaterThan(0);
    await runSql(
      url,
      `TRUNCATE "User" CASCADE`,
      `INSERT INTO "User" ("id", "updatedAt", "email", "firstName", "team") VALUES ('first', now(), 'a@example.com', 'A', 'RED')`,
    );
    await catchUp();
    expect((await verifyMigration(move)).equal).toBe(true);
    expect(read(`SELECT "id" FROM "User"`)).toEqual([{ id: "first" }]);
  });

  test("what this site's rules refuse ends it, names the row, and nothing of its transaction is kept", async () => {
    await runSql(url, ODDITIES.extraLabel);
    await copySource(move);
    const before = read(`SELECT "firstName" FROM "User" ORDER BY "id"`);
    await runSql(
      url,
      `BEGIN; UPDATE "User" SET "firstName" = 'half'; UPDATE "User" SET "team" = 'GREEN' WHERE "id" = ${await quotedId("user", 4)}; COMMIT`,
    );
    await expect(catchUp()).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining(await readSourceId(url, "user", 4)),
    });
    expect(read(`SELECT "firstName" FROM "User" ORDER BY "id"`)).toEqual(before);
  });

  test("a member who does not fit is kept aside with all that is theirs, and comes back with it", async () => {
    await runSql(url, ODDITIES.extraLabel);
    begin({ unknown: "stop", unfit: "aside" });
    await copySource(move);
    const id = await quotedId("user", 4);
    const reads = () => read(`SELECT "id" FROM "PostRead" WHERE "userId" = ${id} ORDER BY "id"`);
    const before = reads();
    expect(before.length).toBeGreaterThan(2);
    await runSql(url, `UPDATE "User" SET "team" = 'GREEN' WHERE "id" = ${id}`);
    await catchUp();
    expect(reads()).toEqual([]);
    expect((await verifyMigration(move)).equal).toBe(true);
    await runSql(
      url,
      `UPDATE "User" SET "firstName" = 'Verde' WHERE "id" = ${id}`,
      `UPDATE "PostRead" SET "postSlug" = 'elsewhere' WHERE "userId" = ${id}`,
      `UPDATE "User" SET "team" = 'RED' WHERE "id" = ${id}`,
    );
    await catchUp();
    expect(reads()).toEqual(before);
    expect(read(`SELECT * FROM "Moved_aside"`)).toEqual([]);
    expect((await verifyMigration(move)).equal).toBe(true);
  });

  test("orphans of a source without foreign keys are kept aside, and adopted when their member comes", async () => {
    await runSql(url, ODDITIES.orphans);
    begin({ unknown: "stop", unfit: "aside" });
    await copySource(move);
    await runSql(url, `DELETE FROM "User" WHERE "id" = ${await quotedId("user", 5)}`);
    await catchUp();
    expect((await verifyMigration(move)).equal).toBe(true);
    await runSql(
      url,
      `INSERT INTO "User" ("id", "updatedAt", "email", "firstName", "team") VALUES (${await quotedId("user", 5)}, now(), 'five@example.com', 'Five', 'BLUE'), ('nobody', now(), 'nobody@example.com', 'Nobody', 'BLUE')`,
    );
    await catchUp();
    expect((await verifyMigration(move)).equal).toBe(true);
    expect(read(`SELECT "userId" FROM "Session" WHERE "userId" = 'nobody'`)).toHaveLength(1);
    expect(read(`SELECT * FROM "Moved_aside"`)).toEqual([]);
  });

  test("members of a source without foreign keys are emptied: what points at them is kept aside, not lost", async () => {
    for (const table of ["Session", "Call", "PostRead"])
      await runSql(url, `ALTER TABLE "${table}" DROP CONSTRAINT "${table}_userId_fkey"`);
    begin({ unknown: "stop", unfit: "aside" });
    await copySource(move);
    await runSql(url, `TRUNCATE "User"`);
    await catchUp();
    expect((await verifyMigration(move)).equal).toBe(true);
    expect(read(`SELECT 1 FROM "Moved_aside" WHERE "source" = 'Session'`)).toHaveLength(90);
  });

  test("a source that does not tell the keys of changed rows any more ends it with what to do", async () => {
    await copySource(move);
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

  test("a slot that is gone is told as what it is", async () => {
    await copySource(move);
    await dropSlot(url);
    await expect(catchUp()).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("copy again"),
    });
  });

  test("columns and tables that are kept beside follow, too, also without a key", async () => {
    for (const odd of [
      "unknownColumns",
      "unknownSessionColumn",
      "unknownTable",
      "unknownTableWithoutKey",
    ] as const)
      await runSql(url, ODDITIES[odd]);
    begin({ unknown: "keep", unfit: "stop" });
    await copySource(move);
    await runSql(
      url,
      `UPDATE "User" SET "nickname" = 'renamed', "settings" = NULL WHERE "discordId" IS NOT NULL`,
      `DELETE FROM "Bookmark" WHERE "userId" < '8'`,
      `UPDATE "Bookmark" SET "slug" = 'y'`,
      `INSERT INTO "Log" VALUES ('two')`,
      `DELETE FROM "Log" WHERE "line" = 'one'`,
      `UPDATE "Session" SET "id" = "id" || 'x', "userAgent" = 'Chromium'`,
    );
    expect((await verifyMigration(move)).equal).toBe(true);
    expect(read(`SELECT "line" FROM "Moved_Log" ORDER BY 1`)).toEqual([
      { line: null },
      { line: "two" },
    ]);
  });

  test("a column that comes or goes ends it with what to do", async () => {
    await copySource(move);
    await runSql(url, `ALTER TABLE "User" ADD "late" text`, `UPDATE "User" SET "firstName" = 'x'`);
    await expect(catchUp()).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("late"),
    });
  });

  test("two can't follow at once, and another move's file is refused", async () => {
    await copySource(move);
    const state = await getCompleteCopy(move);
    const first = replicateChanges({
      url,
      file: migrationFiles(move.targetFile).working,
      state,
      signal: stop.signal,
    });
    await expect(
      replicateChanges({
        url,
        file: migrationFiles(move.targetFile).working,
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
        file: migrationFiles(move.targetFile).working,
        state: { ...state, id: "another" },
        until: "0/0",
        signal: new AbortController().signal,
      }),
    ).rejects.toMatchObject({ code: "conflict" });
  });

  test("a server that crashes is waited for", async () => {
    await copySource(move);
    const waits: string[] = [];
    const state = await getCompleteCopy(move);
    const going = replicateChanges({
      url,
      file: migrationFiles(move.targetFile).working,
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
    begin();
    expect((await verifyMigration(move)).equal).toBe(true);
    expect(waits.join(" ")).not.toContain("127.0.0.1");
  });

  async function until(isSo: () => boolean): Promise<void> {
    const deadline = Date.now() + 30_000;
    while (!isSo()) {
      if (Date.now() > deadline) throw new Error("not within 30 s");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
});
