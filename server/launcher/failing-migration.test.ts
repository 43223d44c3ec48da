// Starts a version with a migration that fails, on a plain file.

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { applyMigrations } from "#lib/db/migrations.ts";

const NAME = "29990101000000_fails";

/** Returns the rows of the schema and of applied migrations. */
function readSchema(file: string): unknown[] {
  const db = new Database(file, { readonly: true });
  try {
    return [
      db.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name").all(),
      db.prepare("SELECT migration_name, finished_at FROM _prisma_migrations").all(),
    ];
  } finally {
    db.close();
  }
}

test("a version whose migration fails exits and names it, and the database stays as it was", async () => {
  const root = mkdtempSync(join(tmpdir(), "lectern-version-"));
  try {
    for (const name of ["lib", "server", "package.json", join("prisma", "migrations")])
      cpSync(name, join(root, name), { recursive: true });
    symlinkSync(resolve("node_modules"), join(root, "node_modules"));
    const file = join(root, "lectern.db");
    await applyMigrations(file, join("prisma", "migrations"));
    const before = readSchema(file);
    mkdirSync(join(root, "prisma", "migrations", NAME));
    writeFileSync(
      join(root, "prisma", "migrations", NAME, "migration.sql"),
      `CREATE TABLE "half" ("id" INTEGER);\nINSERT INTO "no such table" VALUES (1);\n`,
    );
    const { status, stdout } = spawnSync(process.execPath, ["server/launcher/main.ts"], {
      cwd: root,
      env: {
        ...process.env,
        NODE_ENV: "production",
        REPLICATION: "off",
        DATA_DIR: root,
        PORT: "1",
      },
      encoding: "utf8",
      timeout: 60_000,
    });
    expect({ status, stdout }).toEqual({
      status: 1,
      stdout: expect.stringMatching(new RegExp(`"event":"launcher.failed".*${NAME}`)),
    });
    expect(stdout).not.toContain("launcher.site");
    expect(readSchema(file)).toEqual(before);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
