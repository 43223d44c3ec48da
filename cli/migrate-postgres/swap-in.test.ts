import { copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createStagingDatabase, finishLoad, finishStagingDatabase } from "./staging-database.ts";
import { backupTarget, carryOverSettings, countTargetMembers, swapIn } from "./swap-in.ts";
import { KNOWN_TABLES, type TableMapping, optionalText } from "./table-mapping.ts";
import { closeDatabase, readSql, writeSql } from "#lib/db/database.ts";
import { rebuildCounters } from "#lib/reading/rebuild-counters.sql.ts";
import { TEMPLATE_FILE, useFreshDatabase } from "#tests/support/fresh-database.ts";

let dir: string;
let file: string;
let migrated: string;
let cleanUp: () => Promise<void>;
beforeEach(() => {
  ({ dir, file, cleanUp } = useFreshDatabase());
  migrated = join(dir, "migrated.db");
  copyFileSync(TEMPLATE_FILE, migrated);
  add(migrated, "migrated");
});
afterEach(async () => cleanUp());

function add(to: string, id: string): void {
  const db = new Database(to);
  db.prepare(
    `INSERT INTO "User" ("id", "createdAt", "updatedAt", "email", "firstName", "team") VALUES (?, 1, 1, ?, 'A', 'RED')`,
  ).run(id, `${id}@example.com`);
  db.close();
}

const members = () =>
  readSql((sql) => sql.all<{ id: string }>(`SELECT "id" FROM "User"`).map(({ id }) => id));

test("renames over a file that is not in use, and backs it up", async () => {
  add(file, "old");
  expect(await countTargetMembers({ kind: "file", file })).toBe(1);
  const backupFile = join(dir, "backup.db");
  expect(backupTarget({ kind: "file", file }, backupFile)).toBe(true);
  expect(await swapIn({ kind: "file", file }, migrated)).toBe("renamed");
  expect(await members()).toEqual(["migrated"]);
  expect(existsSync(migrated)).toBe(false);
  const db = new Database(backupFile, { readonly: true });
  expect(db.prepare(`SELECT "id" FROM "User"`).pluck().all()).toEqual(["old"]);
  db.close();
});

test("replaces a running site's database, which the site reads and writes next", async () => {
  add(file, "old");
  expect(await members()).toEqual(["old"]);
  await writeSql((sql) => sql.run(`UPDATE "User" SET "firstName" = 'B'`));
  expect(await countTargetMembers({ kind: "file", file })).toBe(1);
  expect(await swapIn({ kind: "file", file }, migrated)).toBe("replaced while in use");
  expect(await members()).toEqual(["migrated"]);
  await writeSql((sql) => sql.run(`UPDATE "User" SET "firstName" = 'C' WHERE "id" = 'migrated'`));
  await closeDatabase();
  const db = new Database(file, { readonly: true });
  expect(db.prepare(`SELECT "firstName" FROM "User"`).pluck().all()).toEqual(["C"]);
  expect(db.pragma("integrity_check", { simple: true })).toBe("ok");
  expect([
    db.pragma("journal_mode", { simple: true }),
    db.pragma("page_size", { simple: true }),
  ]).toEqual(["wal", 4096]);
  db.close();
});

test("carries over the published content version", async () => {
  await writeSql((sql) =>
    sql.run(
      `INSERT INTO "ContentVersion" ("id", "version", "previous", "updatedAt") VALUES (1, 'abc', NULL, 5)`,
    ),
  );
  carryOverSettings({ kind: "file", file }, migrated);
  await swapIn({ kind: "file", file }, migrated);
  expect(
    await readSql((sql) => sql.get(`SELECT "version", "updatedAt" FROM "ContentVersion"`)),
  ).toEqual({ version: "abc", updatedAt: 5 });
});

test("carries over who has subscribed to the newsletter here", async () => {
  await writeSql((sql) => {
    for (const name of ["reader", "migrated", "gone"])
      sql.run(
        `INSERT INTO "Subscriber" ("id", "email", "subscribedAt") VALUES (?, ?, 5)`,
        name,
        `${name}@example.com`,
      );
  });
  carryOverSettings({ kind: "file", file }, migrated);
  // They unsubscribe before the cutover is repeated.
  await writeSql((sql) => sql.run(`DELETE FROM "Subscriber" WHERE "id" = 'gone'`));
  carryOverSettings({ kind: "file", file }, migrated);
  await swapIn({ kind: "file", file }, migrated);
  const read = (query: string) => readSql((sql) => sql.all(query));
  expect(await read(`SELECT "id", "subscribedAt" FROM "Subscriber" ORDER BY "id"`)).toEqual([
    { id: "migrated", subscribedAt: 5 },
    { id: "reader", subscribedAt: 5 },
  ]);
  expect(await read(`SELECT "userId", "purpose" FROM "Consent"`)).toEqual([
    { userId: "migrated", purpose: "NEWSLETTER" },
  ]);
});

test("rejects another application's database, and creates a missing file", async () => {
  const other = join(dir, "other.db");
  const db = new Database(other);
  db.exec("CREATE TABLE t (x)");
  db.close();
  await expect(countTargetMembers({ kind: "file", file: other })).rejects.toMatchObject({
    code: "conflict",
    message: expect.stringContaining("is not a database of this site"),
  });
  const none = join(dir, "none.db");
  expect(await countTargetMembers({ kind: "file", file: none })).toBe(null);
  await swapIn({ kind: "file", file: none }, migrated);
  expect(existsSync(none)).toBe(true);
});

test("says what is wrong with LiteFS, and keeps the migrated database", async () => {
  const litefs = {
    kind: "litefs",
    url: "http://127.0.0.1:9",
    name: "a.db",
    mounted: file,
  } as const;
  await expect(swapIn(litefs, migrated)).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringContaining("http://127.0.0.1:9"),
  });
  expect(existsSync(migrated)).toBe(true);
});

test("rejects a database with a non-empty -wal file", async () => {
  const open = new Database(migrated);
  open.exec(`UPDATE "User" SET "firstName" = 'D'`);
  await expect(swapIn({ kind: "file", file }, migrated)).rejects.toMatchObject({
    code: "conflict",
  });
  open.close();
});

test("columns that this site does not have are deleted with their member", async () => {
  const toSide = (source: string): TableMapping => ({
    schema: "public",
    source,
    target: `_source_${source}`,
    key: ["id"],
    columns: [optionalText("id"), optionalText("phone")],
    isSide: true,
  });
  const id = "5b4a6c1e-0000-4000-8000-000000000000";
  const staging = join(dir, "side.db.staging");
  await createStagingDatabase(staging, {
    id,
    tables: [...KNOWN_TABLES, toSide("User"), { ...toSide("call"), key: [] }],
  });
  finishLoad(staging, { rebuildCounters, position: "" });
  add(staging, "ada");
  add(staging, "bob");
  const db = new Database(staging);
  db.exec(
    `INSERT INTO "_source_User" VALUES ('ada', '1'), ('bob', '2'); INSERT INTO "_source_call" VALUES ('ada', '3')`,
  );
  db.close();
  finishStagingDatabase(staging, id);
  const finished = new Database(staging);
  finished.exec(`DELETE FROM "User" WHERE "id" = 'ada'`);
  expect(finished.prepare(`SELECT "id" FROM "_source_User"`).pluck().all()).toEqual(["bob"]);
  expect(finished.prepare(`SELECT "phone" FROM "_source_call"`).pluck().all()).toEqual(["3"]);
  finished.close();
});
