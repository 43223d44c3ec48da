import { spawnSync } from "node:child_process";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { env } from "#lib/core/env.ts";
import { findMistypedValues } from "./mistyped-values.ts";

test("doctor names values of the wrong type by table, column and count, and notes a missing ffmpeg", () => {
  const { DATA_DIR, DATABASE_FILE } = env;
  const db = new Database(DATABASE_FILE);
  expect(findMistypedValues(db)).toEqual([]);
  db.pragma("ignore_check_constraints = ON");
  const insertRead = db.prepare(
    `INSERT INTO "PostRead" ("id", "createdAt", "clientId", "postSlug") VALUES (?, ?, 'client', 'a')`,
  );
  for (const id of ["1", "2"]) insertRead.run(id, "2026-11-23T10:00:00.000Z");
  insertRead.run("3", 1_764_000_000_000);
  db.exec(`INSERT INTO "UsedToken" ("nonce", "expiresAt") VALUES ('n', '2026-11-23 10:00:00')`);
  db.close();

  const { stdout, status } = spawnSync(process.execPath, ["cli/doctor/main.ts"], {
    env: { ...process.env, DATA_DIR, DATABASE_FILE, FFMPEG_PATH: "/nonexistent/ffmpeg" },
    encoding: "utf8",
  });
  expect(status).toBe(1);
  expect(stdout).toContain("PostRead.createdAt: 2 values are not stored as integer");
  expect(stdout).toContain("UsedToken.expiresAt: 1 value is not stored as integer");
  expect(stdout).toMatch(/note {2}no ffmpeg[^\n]*\n {6}.*podcast/);
});
