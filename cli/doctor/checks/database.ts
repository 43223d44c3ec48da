// Checks the database file: its mode, its pages, its rows, and its migrations.

import { existsSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { readAppliedMigrations, readMigrations } from "#lib/db/migrations.ts";
import { type Finding, note, ok, problem } from "../finding.ts";
import { findMistypedValues } from "../mistyped-values.ts";

/** Returns the findings for `file`, compared with the migrations in `root`. Writes nothing. */
export function checkDatabase(file: string, root: string): Finding[] {
  if (!existsSync(file))
    return [
      note(
        `${file} does not exist yet`,
        "The site creates it when it first starts. If this site had data, the data is somewhere else.",
        "npm start",
      ),
    ];
  const db = new Database(file, { readonly: true });
  try {
    return [
      ...checkFormat(file, db),
      ...checkRows(file, db),
      ...checkMigrations(file, db, join(root, "prisma", "migrations")),
    ];
  } finally {
    db.close();
  }
}

function checkFormat(file: string, db: Database.Database): Finding[] {
  const mode = String(db.pragma("journal_mode", { simple: true }));
  const pageSize = Number(db.pragma("page_size", { simple: true }));
  return [
    mode === "wal"
      ? ok(`${file}: journal mode wal`)
      : problem(
          `${file}: journal mode ${mode}`,
          "LiteFS replicas exit if the mode of a running cluster changes, and in other modes, writers block readers.",
          `On a plain file, with the site stopped: sqlite3 ${file} "PRAGMA journal_mode=WAL". In a cluster: docs/runbooks/restore.md.`,
        ),
    pageSize === 4_096
      ? ok(`${file}: page size 4096`)
      : problem(
          `${file}: page size ${pageSize}`,
          "LiteFS requires 4096: with any other size, the primary exits.",
          `With the site stopped: sqlite3 ${file} "PRAGMA journal_mode=DELETE; PRAGMA page_size=4096; VACUUM; PRAGMA journal_mode=WAL"`,
        ),
  ];
}

function checkRows(file: string, db: Database.Database): Finding[] {
  const result = String(db.pragma("quick_check(1)", { simple: true }));
  if (result !== "ok")
    return [
      problem(
        `${file}: quick_check: ${result.slice(0, 200)}`,
        "The file is corrupt. The cause may be the disk, a copy made while the site was running, or another program.",
        "Restore the newest backup: docs/runbooks/restore.md",
      ),
    ];
  const violations = (db.pragma("foreign_key_check") as unknown[]).length;
  return [
    ok(`${file}: quick_check`),
    violations === 0
      ? ok(`${file}: foreign keys`)
      : problem(
          `${file}: ${violations} ${violations === 1 ? "row references a missing row" : "rows reference missing rows"}`,
          "Pages that show these rows may fail.",
          `List them: sqlite3 ${file} "PRAGMA foreign_key_check"`,
        ),
    ...checkValueTypes(file, db),
  ];
}

function checkValueTypes(file: string, db: Database.Database): Finding[] {
  const mistyped = findMistypedValues(db);
  if (mistyped.length === 0) return [ok(`${file}: value types`)];
  return mistyped.map(({ table, column, expected, count }) =>
    problem(
      `${file}: ${table}.${column}: ${count} ${count === 1 ? "value is" : "values are"} not stored as ${expected}`,
      "SQLite sorts all integers before all text, so date ranges never include such a value.",
      `Find them: sqlite3 ${file} "SELECT * FROM ${table} WHERE typeof(${column}) NOT IN ('${expected}', 'null')"`,
    ),
  );
}

function checkMigrations(file: string, db: Database.Database, dir: string): Finding[] {
  if (!existsSync(dir)) return [];
  const applied = readAppliedMigrations(db);
  const bundled = readMigrations(dir);
  const checksums = new Map(applied.map(({ name, checksum }) => [name, checksum]));
  const missing = bundled.filter(({ name }) => !checksums.has(name));
  const changed = bundled.filter(
    ({ name, checksum }) => checksums.has(name) && checksums.get(name) !== checksum,
  );
  const known = new Set(bundled.map(({ name }) => name));
  const unknown = applied.filter(({ name }) => !known.has(name));
  const names = (list: readonly { name: string }[]) => list.map(({ name }) => name).join(", ");
  const findings: Finding[] = [];
  if (missing.length > 0)
    findings.push(
      problem(
        `${file}: ${missing.length} migrations are not applied: ${names(missing)}`,
        "Pages that need their tables or columns fail.",
        "npm start applies them (in a cluster: fly machine restart ID of the primary)",
      ),
    );
  if (changed.length > 0)
    findings.push(
      problem(
        `${file}: applied with other contents: ${names(changed)}`,
        "The site doesn't start, because its tables may differ from what the code expects.",
        `git checkout prisma/migrations, and add a new migration instead`,
      ),
    );
  if (unknown.length > 0)
    findings.push(
      problem(
        `${file}: migrated by newer code: ${names(unknown)}`,
        "This version may not understand the newer tables, and doesn't start on a plain file.",
        "Deploy the newer version, or restore a backup that is older than it: docs/runbooks/restore.md",
      ),
    );
  return findings.length > 0 ? findings : [ok(`${file}: all ${bundled.length} migrations`)];
}
