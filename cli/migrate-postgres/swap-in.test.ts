import { copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { backupTarget, carryOverSettings, inspectTarget, swapIn } from "./swap-in.ts";
import { closeDatabase, readSql, writeSql } from "#lib/db/database.ts";
import { TEMPLATE_FILE, useFreshDatabase } from "#tests/support/fresh-database.ts";

let dir: string;
let file: string;
let moved: string;
let cleanUp: () => Promise<void>;
beforeEach(() => {
  ({ dir, file, cleanUp } = useFreshDatabase());
  moved = join(dir, "moved.db");
  copyFileSync(TEMPLATE_FILE, moved);
  add(moved, "moved");
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

test("a file that nobody has open is replaced by renaming, and what it held is kept aside", async () => {
  add(file, "old");
  expect(await inspectTarget({ kind: "file", file })).toEqual({
    members: 1,
    reads: 0,
    isInUse: false,
  });
  const aside = join(dir, "aside.db");
  expect(backupTarget({ kind: "file", file }, aside)).toBe(true);
  expect(await swapIn({ kind: "file", file }, moved)).toBe("renamed");
  expect(await members()).toEqual(["moved"]);
  expect(existsSync(moved)).toBe(false);
  const db = new Database(aside, { readonly: true });
  expect(db.prepare(`SELECT "id" FROM "User"`).pluck().all()).toEqual(["old"]);
  db.close();
});

test("a site that is running serves what was moved from its next read on, and writes into it", async () => {
  add(file, "old");
  expect(await members()).toEqual(["old"]);
  await writeSql((sql) => sql.run(`UPDATE "User" SET "firstName" = 'B'`));
  expect(await inspectTarget({ kind: "file", file })).toMatchObject({ members: 1, isInUse: true });
  expect(await swapIn({ kind: "file", file }, moved)).toBe("replaced while in use");
  expect(await members()).toEqual(["moved"]);
  await writeSql((sql) => sql.run(`UPDATE "User" SET "firstName" = 'C' WHERE "id" = 'moved'`));
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

test("which content is live stays as it was", async () => {
  await writeSql((sql) =>
    sql.run(
      `INSERT INTO "ContentVersion" ("id", "version", "previous", "updatedAt") VALUES (1, 'abc', NULL, 5)`,
    ),
  );
  carryOverSettings({ kind: "file", file }, moved);
  await swapIn({ kind: "file", file }, moved);
  expect(
    await readSql((sql) => sql.get(`SELECT "version", "updatedAt" FROM "ContentVersion"`)),
  ).toEqual({ version: "abc", updatedAt: 5 });
});

test("a file of something else is not replaced, and one that is not there is simply made", async () => {
  const other = join(dir, "other.db");
  const db = new Database(other);
  db.exec("CREATE TABLE t (x)");
  db.close();
  await expect(inspectTarget({ kind: "file", file: other })).rejects.toMatchObject({
    code: "conflict",
    message: expect.stringContaining("no database of this site"),
  });
  const none = join(dir, "none.db");
  expect(await inspectTarget({ kind: "file", file: none })).toEqual({
    members: null,
    reads: 0,
    isInUse: false,
  });
  await swapIn({ kind: "file", file: none }, moved);
  expect(existsSync(none)).toBe(true);
});

test("a moved file whose last rows are still in its -wal is not placed", async () => {
  const open = new Database(moved);
  open.exec(`UPDATE "User" SET "firstName" = 'D'`);
  await expect(swapIn({ kind: "file", file }, moved)).rejects.toMatchObject({
    code: "conflict",
  });
  open.close();
});
