// Checks that the migration to member time fills the counters of a database with reads.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { DAY_MS } from "#lib/core/clock.ts";
import { createSql } from "#lib/db/connection.ts";
import { readMigrations } from "#lib/db/migrations.ts";
import { insertRead, insertUser } from "#tests/support/factories.ts";
import { seededRandom } from "#tests/support/random.ts";
import { findCounterMismatches } from "./rebuild-counters.sql.ts";
import { TEAMS } from "./team.ts";

const MIGRATION = "20261129000000_joining_never_lowers_a_team";
const NOW = Date.parse("2026-11-25T10:00:00Z");

test("the migration counts what a rebuild would", () => {
  const dir = mkdtempSync(join(tmpdir(), "lectern-member-time-"));
  const db = new Database(join(dir, "old.db"));
  try {
    const migrations = readMigrations("prisma/migrations");
    const run = (isIncluded: (name: string) => boolean) => {
      for (const { name, sql } of migrations) if (isIncluded(name)) db.exec(sql);
    };
    run((name) => name < MIGRATION);
    const sql = createSql(db);
    const next = seededRandom(7);
    const daysAgo = (days: number) => NOW - Math.floor(next() * days) * DAY_MS;
    const users = Array.from({ length: 60 }, (_, i) =>
      insertUser(sql, { team: TEAMS[i % 3]!, createdAt: daysAgo(900) }),
    );
    for (let i = 0; i < 400; i++)
      insertRead(sql, {
        userId: next() < 0.8 ? users[Math.floor(next() * users.length)]!.id : null,
        postSlug: `post-${i % 5}`,
        createdAt: daysAgo(1_000),
      });
    run((name) => name >= MIGRATION);
    expect(findCounterMismatches(sql)).toEqual([]);
    expect(
      db.prepare(`SELECT SUM("members") FROM "TeamActiveSince"`).pluck().get(),
    ).toBeGreaterThan(20);
  } finally {
    db.close();
    rmSync(dir, { recursive: true });
  }
});
