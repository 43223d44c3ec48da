// Creates a database of realistic size: members, posts and half a million reads.

import { existsSync, renameSync } from "node:fs";
import Database from "better-sqlite3";
import { seededRandom } from "#tests/support/random.ts";
import { DAY_MS } from "#lib/core/clock.ts";
import { applyMigrations } from "#lib/db/migrations.ts";
import { createSql } from "#lib/db/connection.ts";
import { rebuildCounters } from "#lib/reading/rebuild-counters.sql.ts";
import { TEAMS } from "#lib/reading/team.ts";

/**
 * Creates `file`, or brings an existing one to the current schema: `users` members and `reads` reads (30% by members) of `slugs`
 * and other posts, spread over two years. Returns the id of the first member.
 */
export async function createBenchDatabase(
  file: string,
  { reads, slugs, users = 10_000 }: { reads: number; slugs: readonly string[]; users?: number },
): Promise<string> {
  const member = "00000000-0000-4000-8000-000000000000";
  if (existsSync(file)) {
    await updateBenchDatabase(file);
    return member;
  }
  await applyMigrations(`${file}.new`, "prisma/migrations");
  const db = new Database(`${file}.new`);
  db.pragma("synchronous = OFF");
  db.pragma("cache_size = -256000");
  const triggers = db
    .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
    .all() as { name: string; sql: string }[];
  const indexes = db
    .prepare(
      "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'PostRead' AND sql NOT NULL",
    )
    .all() as { name: string; sql: string }[];
  const posts = [
    ...slugs,
    ...Array.from({ length: 200 - slugs.length }, (_, i) => `other-post-${i}`),
  ];
  const now = Date.now();
  const random = seededRandom(1);
  const next = (below: number) => Math.floor(random() * below);
  const id = (kind: number, i: number) =>
    `${String(kind).padStart(8, "0")}-0000-4000-8000-${i.toString(16).padStart(12, "0")}`;
  db.transaction(() => {
    for (const { name } of triggers) db.exec(`DROP TRIGGER "${name}"`);
    for (const { name } of indexes) db.exec(`DROP INDEX "${name}"`);
    const user = db.prepare(
      `INSERT INTO "User" ("id", "createdAt", "updatedAt", "email", "firstName", "team") VALUES (?, ?, ?, ?, 'Bench', ?)`,
    );
    for (let i = 0; i < users; i++)
      user.run(id(0, i), now - 700 * DAY_MS, now, `${i}@example.test`, TEAMS[i % 3]);
    const read = db.prepare(
      `INSERT INTO "PostRead" ("id", "createdAt", "userId", "clientId", "postSlug") VALUES (?, ?, ?, ?, ?)`,
    );
    for (let i = 0; i < reads; i++) {
      const byMember = next(10) < 3;
      read.run(
        id(1, i),
        now - next(730 * 86_400) * 1000,
        byMember ? id(0, next(users)) : null,
        byMember ? null : id(2, next(Math.max(1, reads >> 2))),
        posts[next(posts.length)],
      );
    }
    for (const { sql } of indexes) db.exec(sql);
    for (const { sql } of triggers) db.exec(sql);
    rebuildCounters(createSql(db));
  })();
  db.pragma("wal_checkpoint(TRUNCATE)");
  db.close();
  renameSync(`${file}.new`, file);
  return member;
}

/** Brings a file of an earlier run to the current schema. */
async function updateBenchDatabase(file: string): Promise<void> {
  if ((await applyMigrations(file, "prisma/migrations")).length === 0) return;
  const db = new Database(file);
  rebuildCounters(createSql(db));
  db.close();
}
