import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { createFolder } from "#lib/core/create-folder.ts";
import { env } from "#lib/core/env.ts";
import { applyMigrations } from "#lib/db/migrations.ts";

/** Runs a script of the start in `variables` only. Ends it after 20 seconds. */
function runScript(name: string, variables: Record<string, string>) {
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", join("scripts", name)],
    {
      encoding: "utf8",
      timeout: 20_000,
      env: { PATH: process.env.PATH, NODE_ENV: "production", ...variables },
    },
  );
  return { status, signal, output: stdout + stderr };
}

const SENTENCE = { status: 1, signal: null, output: expect.not.stringMatching(/\n\s+at /) };

test("a database that this version can't use is a sentence, not a stack", async () => {
  const newer = join(env.DATA_DIR, "newer.db");
  await applyMigrations(newer, "prisma/migrations");
  const db = new Database(newer);
  db.prepare(
    `INSERT INTO "_prisma_migrations" ("id", "checksum", "finished_at", "migration_name", "started_at", "applied_steps_count") VALUES ('x', 'x', 1, '2099_later', 1, 1)`,
  ).run();
  db.close();
  const text = join(env.DATA_DIR, "text.db");
  writeFileSync(text, "This is no database. ".repeat(500));
  const folder = join(env.DATA_DIR, "folder.db");
  createFolder(folder);

  const prepare = (DATABASE_FILE: string) =>
    runScript("prepare-database.ts", { DATA_DIR: env.DATA_DIR, DATABASE_FILE });
  const result = prepare(newer);
  expect(result).toEqual(SENTENCE);
  expect(result.output).toMatch(
    /newer.db was migrated by newer code. This version lacks 2099_later/,
  );
  for (const [file, message] of [
    [text, /text.db: .*not a database/],
    [folder, /folder.db: .*SQLITE_CANTOPEN/],
  ] as const) {
    const { output, ...rest } = prepare(file);
    expect({ ...rest, output }).toEqual(SENTENCE);
    expect(output).toMatch(message);
  }
});

test.skipIf(process.platform !== "linux")(
  "a data folder or database that can't be created is a sentence, and no endless loop",
  () => {
    const folders = { DATA_DIR: "/proc/nope" };
    const secret = { SESSION_SECRET: "a".repeat(32) };
    for (const variables of [folders, { ...folders, ...secret }]) {
      const result = runScript("check-env.ts", variables);
      expect(result).toEqual(SENTENCE);
      expect(result.output).toMatch(/DATA_DIR: .*\/proc\/nope.* \(ENOENT\)/);
    }
    const result = runScript("prepare-database.ts", {
      ...secret,
      DATA_DIR: env.DATA_DIR,
      DATABASE_FILE: "/proc/nope/lectern.db",
    });
    expect(result).toEqual(SENTENCE);
    expect(result.output).toMatch(/\/proc\/nope.*ENOENT/);
  },
);
