// Runs alternative ways to copy the same rows into SQLite, each tuned as far as it allows.

import { closeSync, fsyncSync, openSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { type ProgramResult, runProgram } from "./run-program.ts";
import type { BaselinePrograms } from "./baseline-programs.ts";
import { applyMigrations } from "#lib/db/migrations.ts";

export interface BaselinesOptions {
  readonly url: string;
  /** The folder for output files. */
  readonly dir: string;
  readonly programs: BaselinePrograms;
  /** Rows of PostRead. */
  readonly reads: number;
}

export interface Baselines {
  /** Copies all tables with psql's COPY to CSV and sqlite3's .import. */
  csv(): Promise<ProgramResult>;
  /** Copies all tables with db-to-sqlite. Returns null if it is not installed. */
  dbToSqlite(): Promise<ProgramResult | null>;
  /**
   * Upserts the first `rows` reads one by one with Prisma. Returns milliseconds. `delete` is
   * SQLite's default journal mode.
   */
  upsert(rows: number, journal: "delete" | "wal"): Promise<number>;
  /** Copies only PostRead with the C program. */
  loadInC(): Promise<ProgramResult>;
}

const TABLES = ["User", "Session", "Call", "PostRead"];

export async function createBaselines({
  url,
  dir,
  programs: { psql, sqlite3, cBaseline, dbToSqlite },
  reads,
}: BaselinesOptions): Promise<Baselines> {
  const { tables, indexes } = await readSchema(join(dir, "schema.db"));
  const file = join(dir, "baseline.db");
  const removeFile = () => {
    for (const suffix of ["", "-wal", "-shm", "-journal"]) rmSync(file + suffix, { force: true });
  };
  /**
   * Adds the time of a sync, with which our copy also ends. Throws an Error if rows are missing.
   */
  const finishRun = (run: ProgramResult): ProgramResult => {
    const startedMs = performance.now();
    const fd = openSync(file, "r+");
    fsyncSync(fd);
    closeSync(fd);
    const ms = run.ms + performance.now() - startedMs;
    const db = new Database(file, { readonly: true });
    const rows = db.prepare(`SELECT count(*) FROM "PostRead"`).pluck().get();
    db.close();
    if (rows !== reads) throw new Error(`${String(rows)} of ${reads} reads were copied`);
    removeFile();
    return { ...run, ms };
  };

  const schemaFile = join(dir, "schema.sql");
  const indexFile = join(dir, "indexes.sql");
  writeFileSync(schemaFile, tables.PostRead!);
  writeFileSync(
    indexFile,
    indexes
      .filter(({ table }) => table === "PostRead")
      .map(({ sql }) => `${sql};\n`)
      .join(""),
  );
  const copyReads = `COPY (SELECT "id", (date_part('epoch', "createdAt") * 1000)::bigint, "userId", "clientId", "postSlug" FROM "PostRead" ORDER BY "id" COLLATE "C") TO STDOUT`;

  return {
    async csv() {
      removeFile();
      const imports = TABLES.map(
        (table) =>
          `.import --csv "|'${psql}' '${url}' -Xqc 'COPY \\"${table}\\" TO STDOUT (FORMAT csv)'" ${table}`,
      );
      // Our CHECK constraints reject dates as text.
      const createTables = TABLES.map(
        (table) => `${tables[table]!.replace(/ CHECK \(typeof\([^)]*\) = 'integer'\)/g, "")};`,
      );
      const input = [
        ".bail on",
        ...CSV_PRAGMAS,
        "BEGIN;",
        ...createTables,
        ...imports,
        ...indexes.map(({ sql }) => `${sql};`),
        "COMMIT;",
      ].join("\n");
      return finishRun(await runProgram(sqlite3, [file], { input }));
    },
    async dbToSqlite() {
      if (!dbToSqlite) return null;
      removeFile();
      return finishRun(
        await runProgram(dbToSqlite, [
          url.replace(/^postgres(ql)?:/, "postgresql+psycopg2:"),
          file,
          ...TABLES.flatMap((table) => ["--table", table]),
        ]),
      );
    },
    async upsert(rows, journal) {
      removeFile();
      const db = new Database(file);
      db.pragma(`journal_mode = ${journal}`);
      db.exec([...Object.values(tables), ...indexes.map(({ sql }) => sql)].join(";\n"));
      db.close();
      const { output } = await runProgram(process.execPath, [
        ...process.execArgv,
        join("bench", "migrate", "baseline-prisma.ts"),
        "--url",
        url,
        "--file",
        file,
        "--rows",
        String(rows),
      ]);
      removeFile();
      const result = JSON.parse(output) as { ms: number; rows: number };
      if (result.rows !== rows) throw new Error(`${result.rows} of ${rows} rows were upserted`);
      return result.ms;
    },
    async loadInC() {
      removeFile();
      return finishRun(
        await runProgram("sh", [
          "-c",
          `"$0" "$1" -Xqc "$2" | "$3" "$4" "$5" "$6"`,
          psql,
          url,
          copyReads,
          cBaseline,
          file,
          schemaFile,
          indexFile,
        ]),
      );
    },
  };
}

/** The fastest settings of sqlite3 for a new file. */
const CSV_PRAGMAS = [
  ".output /dev/null",
  "PRAGMA journal_mode = OFF;",
  "PRAGMA synchronous = OFF;",
  "PRAGMA cache_size = -2000000;",
  ".output",
];

/** Returns the CREATE statements of this site's four tables and their indexes. */
async function readSchema(
  file: string,
): Promise<{ tables: Record<string, string>; indexes: { table: string; sql: string }[] }> {
  await applyMigrations(file, "prisma/migrations");
  const db = new Database(file, { readonly: true });
  const rows = db
    .prepare(
      `SELECT "type", "tbl_name" AS "table", "sql" FROM sqlite_master WHERE "sql" IS NOT NULL AND "type" IN ('table', 'index') AND "tbl_name" IN (SELECT "value" FROM json_each(?))`,
    )
    .all(JSON.stringify(TABLES)) as { type: string; table: string; sql: string }[];
  db.close();
  return {
    tables: Object.fromEntries(
      rows.filter(({ type }) => type === "table").map(({ table, sql }) => [table, sql]),
    ),
    indexes: rows.filter(({ type }) => type === "index"),
  };
}
