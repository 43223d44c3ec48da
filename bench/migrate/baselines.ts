// What else a person could do to get the same rows into SQLite, each in its best plain way.

import { closeSync, fsyncSync, openSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { type ProgramResult, runProgram } from "./run-program.ts";
import type { BaselinePrograms } from "./baseline-programs.ts";
import { applyMigrations } from "#lib/db/migrations.ts";

export interface BaselinesOptions {
  readonly url: string;
  /** For their files. */
  readonly dir: string;
  readonly programs: BaselinePrograms;
  /** In PostRead. */
  readonly reads: number;
}

export interface Baselines {
  /** psql's COPY in CSV into sqlite3's .import, all tables. */
  csv(): Promise<ProgramResult>;
  /** db-to-sqlite, all tables; null where it is not there. */
  dbToSqlite(): Promise<ProgramResult | null>;
  /** The first `rows` of PostRead, one upsert after the other through Prisma: its milliseconds. `delete` is how SQLite makes a file unless it is told otherwise. */
  upsert(rows: number, journal: "delete" | "wal"): Promise<number>;
  /** The program in C, PostRead alone. */
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
  const file = join(dir, "peer.db");
  const fresh = () => {
    for (const suffix of ["", "-wal", "-shm", "-journal"]) rmSync(file + suffix, { force: true });
  };
  /** As ours ends: on the disk. Throws where rows are missing. */
  const finished = (ran: ProgramResult): ProgramResult => {
    const startedMs = performance.now();
    const fd = openSync(file, "r+");
    fsyncSync(fd);
    closeSync(fd);
    const ms = ran.ms + performance.now() - startedMs;
    const db = new Database(file, { readonly: true });
    const rows = db.prepare(`SELECT count(*) FROM "PostRead"`).pluck().get();
    db.close();
    if (rows !== reads) throw new Error(`${String(rows)} reads came over of ${reads}`);
    fresh();
    return { ...ran, ms };
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
      fresh();
      const imports = TABLES.map(
        (table) =>
          `.import --csv "|'${psql}' '${url}' -Xqc 'COPY \\"${table}\\" TO STDOUT (FORMAT csv)'" ${table}`,
      );
      // Dates come as texts, which our CHECKs refuse.
      const made = TABLES.map(
        (table) => `${tables[table]!.replace(/ CHECK \(typeof\([^)]*\) = 'integer'\)/g, "")};`,
      );
      const input = [
        ".bail on",
        ...CSV_PRAGMAS,
        "BEGIN;",
        ...made,
        ...imports,
        ...indexes.map(({ sql }) => `${sql};`),
        "COMMIT;",
      ].join("\n");
      return finished(await runProgram(sqlite3, [file], { input }));
    },
    async dbToSqlite() {
      if (!dbToSqlite) return null;
      fresh();
      return finished(
        await runProgram(dbToSqlite, [
          url.replace(/^postgres(ql)?:/, "postgresql+psycopg2:"),
          file,
          ...TABLES.flatMap((table) => ["--table", table]),
        ]),
      );
    },
    async upsert(rows, journal) {
      fresh();
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
      fresh();
      const done = JSON.parse(output) as { ms: number; rows: number };
      if (done.rows !== rows) throw new Error(`${done.rows} rows were upserted of ${rows}`);
      return done.ms;
    },
    async loadInC() {
      fresh();
      return finished(
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

/** Tables first and indexes after, in one transaction, are in the script itself; these make a new file as fast as sqlite3 can. */
const CSV_PRAGMAS = [
  ".output /dev/null",
  "PRAGMA journal_mode = OFF;",
  "PRAGMA synchronous = OFF;",
  "PRAGMA cache_size = -2000000;",
  ".output",
];

/** The statements of this site's four tables and of their indexes, as its migrations make them. */
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
