import { randomUUID } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { PrismaBetterSqlite3 } from "@prisma/adapter-better-sqlite3";
import { bindMigrationAwareSqlAdapterFactory } from "@prisma/driver-adapter-utils";
import type * as SchemaEngineModule from "@prisma/schema-engine-wasm";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { applyMigrations, readMigrations } from "./migrations.ts";

const DIR = "prisma/migrations";
let dir: string;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lectern-migrations-"));
  file = join(dir, "new.db");
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function tables(): string[] {
  const db = new Database(file, { readonly: true });
  const names = db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    .pluck()
    .all() as string[];
  db.close();
  return names;
}

function copyOfMigrations(): string {
  const copy = join(dir, "migrations");
  cpSync(DIR, copy, { recursive: true });
  return copy;
}

let engine: ReturnType<typeof startSchemaEngine> | undefined;

/**
 * Loads Prisma's schema engine as WebAssembly, because the native one is not available everywhere.
 * Once per process, because it is a global.
 */
async function startSchemaEngine() {
  const path = createRequire(import.meta.url).resolve("@prisma/schema-engine-wasm");
  const bindings = (await import(
    "@prisma/schema-engine-wasm/schema_engine_bg" as string
  )) as typeof SchemaEngineModule & { __wbg_set_wasm(exports: unknown): void };
  const { instance } = await WebAssembly.instantiate(
    readFileSync(join(dirname(path), "schema_engine_bg.wasm")),
    {
      "./schema_engine_bg.js": bindings as unknown as WebAssembly.ModuleImports,
    },
  );
  bindings.__wbg_set_wasm(instance.exports);
  (instance.exports.__wbindgen_start as (() => void) | undefined)?.();
  const factory = new PrismaBetterSqlite3({ url: "file::memory:" });
  // The engine sends a whole migration file as one statement; the adapter prepares just one.
  const connectToShadowDb = factory.connectToShadowDb.bind(factory);
  factory.connectToShadowDb = async () => {
    const shadow = await connectToShadowDb();
    const executeRaw = shadow.executeRaw.bind(shadow);
    // It queries a partial index by its name in double quotes, which not every SQLite build accepts
    // as a string.
    const queryRaw = shadow.queryRaw.bind(shadow);
    shadow.queryRaw = async (query) =>
      queryRaw({ ...query, sql: query.sql.replace(/(name\s*=\s*)"([^"]+)"/gi, "$1'$2'") });
    shadow.executeRaw = async (query) =>
      query.args.length > 0 ? executeRaw(query) : (await shadow.executeScript(query.sql), 0);
    return shadow;
  };
  const adapter = bindMigrationAwareSqlAdapterFactory(factory);
  return (
    bindings.SchemaEngine as unknown as {
      new: (...args: unknown[]) => Promise<SchemaEngineModule.SchemaEngine>;
    }
  ).new({ datamodels: undefined }, () => {}, adapter);
}

async function driftBetween(schema: string, migrationsDir: string): Promise<string> {
  engine ??= startSchemaEngine();
  const migrationDirectories = readMigrations(migrationsDir).map(({ name, sql }) => ({
    path: name,
    migrationFile: { path: "migration.sql", content: { tag: "ok" as const, value: sql } },
  }));
  const result = await (
    await engine
  ).diff({
    from: {
      tag: "migrations",
      baseDir: migrationsDir,
      lockfile: {
        path: "migration_lock.toml",
        content: readFileSync(join(migrationsDir, "migration_lock.toml"), "utf8"),
      },
      shadowDbInitScript: "",
      migrationDirectories,
    },
    to: { tag: "schemaDatamodel", files: [{ path: "schema.prisma", content: schema }] },
    script: true,
    exitCode: null,
    filters: { externalTables: [], externalEnums: [] },
  });
  return result.stdout ?? "";
}

test("the migrations create exactly the schema", async () => {
  expect((await driftBetween(readFileSync("prisma/schema.prisma", "utf8"), DIR)).trim()).toBe(
    "-- This is an empty migration.",
  );
});

test("a field without a migration is detected", async () => {
  const schema = readFileSync("prisma/schema.prisma", "utf8").replace(
    "firstName    String",
    "firstName    String\n  nickname String?",
  );
  expect(await driftBetween(schema, DIR)).toContain('ADD COLUMN "nickname"');
});

test("every migration is applied once and recorded like Prisma does", async () => {
  const names = readMigrations(DIR).map(({ name }) => name);
  expect(await applyMigrations(file, DIR)).toEqual(names);
  expect(await applyMigrations(file, DIR)).toEqual([]);
  const db = new Database(file, { readonly: true });
  const rows = db
    .prepare(
      `SELECT "migration_name", "checksum", typeof("finished_at") AS kind, "applied_steps_count" AS steps FROM "_prisma_migrations"`,
    )
    .all();
  db.close();
  expect(rows).toEqual(
    readMigrations(DIR).map(({ name, checksum }) => ({
      migration_name: name,
      checksum,
      kind: "integer",
      steps: 1,
    })),
  );
});

test("two processes that start together apply each migration once", async () => {
  const applied = await Promise.all([applyMigrations(file, DIR), applyMigrations(file, DIR)]);
  expect(applied.flat().sort()).toEqual(readMigrations(DIR).map(({ name }) => name));
});

test("a failing migration is rolled back", async () => {
  const copy = copyOfMigrations();
  const broken = join(copy, "29990101000000_broken");
  mkdirSync(broken);
  writeFileSync(
    join(broken, "migration.sql"),
    `CREATE TABLE "Half" ("id" INTEGER); INSERT INTO "Nowhere" VALUES (1);`,
  );
  await expect(applyMigrations(file, copy)).rejects.toThrow(
    /^Migration 29990101000000_broken failed: no such table: Nowhere/,
  );
  expect(tables()).not.toContain("Half");
  expect(tables()).toContain("PostRead");
});

test("a migration that changed after it was applied is refused", async () => {
  const copy = copyOfMigrations();
  await applyMigrations(file, copy);
  const first = readMigrations(copy)[0]?.name as string;
  writeFileSync(join(copy, first, "migration.sql"), "SELECT 1;");
  await expect(applyMigrations(file, copy)).rejects.toThrow(/applied with different contents/);
});

test("a database migrated by newer code is refused", async () => {
  await applyMigrations(file, DIR);
  const db = new Database(file);
  db.prepare(
    `INSERT INTO "_prisma_migrations" ("id", "checksum", "finished_at", "migration_name", "started_at") VALUES (?, 'x', 1, '29990101000000_future', 1)`,
  ).run(randomUUID());
  db.close();
  await expect(applyMigrations(file, DIR)).rejects.toThrow(/lacks 29990101000000_future/);
  // In a cluster, old code can run on a newer schema.
  expect(await applyMigrations(file, DIR, { allowNewerSchema: true })).toEqual([]);
});

test("the staging database of a migration from PostgreSQL is refused", async () => {
  await applyMigrations(file, DIR);
  const db = new Database(file);
  db.exec(`CREATE TABLE "_staging_metadata" ("key" TEXT PRIMARY KEY, "value" TEXT NOT NULL)`);
  db.close();
  await expect(applyMigrations(file, DIR)).rejects.toThrow("unfinished migration");
});
