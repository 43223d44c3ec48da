// Measures this post's numbers: node content/blog/what-counts-as-a-read/measure.ts
// Builds half a million reads in a temporary folder (about a minute); prints one line per number.

import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { applyMigrations } from "#lib/db/migrations.ts";
import Database from "better-sqlite3";

const READS = 500_000;
const USERS = 10_000;
const CLIENTS = 200_000;
const POSTS = 214;
const DAY_MS = 86_400_000;
const teams = ["RED", "BLUE", "YELLOW"];

const folder = mkdtempSync(join(tmpdir(), "lectern-reads-"));
const file = join(folder, "reads.db");
await applyMigrations(file, "prisma/migrations");
const db = new Database(file);
db.pragma("synchronous = NORMAL");
db.pragma("cache_size = -16000");

// A small seeded generator, so that every run builds the same rows.
let state = 42;
const random = (below: number) => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
};
const now = Date.now();
const users = Array.from({ length: USERS }, () => randomUUID());
const clients = Array.from({ length: CLIENTS }, () => randomUUID());
const insertUser = db.prepare(
  `INSERT INTO "User" ("id", "createdAt", "updatedAt", "email", "firstName", "team") VALUES (?, ?, ?, ?, 'Ada', ?)`,
);
const insertRead = db.prepare(
  `INSERT INTO "PostRead" ("id", "createdAt", "userId", "clientId", "postSlug") VALUES (?, ?, ?, ?, ?)`,
);
const fill = (count: number) => {
  db.exec("BEGIN");
  for (let n = 0; n < count; n += 1) {
    const member = random(10) < 3;
    // Squared, so that some posts are read far more than others.
    const post = Math.floor((random(POSTS) * random(POSTS)) / POSTS);
    insertRead.run(
      randomUUID(),
      now - random(4 * 365) * DAY_MS,
      member ? users[random(USERS)] : null,
      member ? null : clients[random(CLIENTS)],
      `post-${post}`,
    );
  }
  db.exec("COMMIT");
};
db.exec("BEGIN");
users.forEach((id, n) => insertUser.run(id, now, now, `reader-${n}@example.com`, teams[n % 3]));
db.exec("COMMIT");
let startMs = performance.now();
fill(READS);
console.log(
  `insert with triggers, ${READS} in one transaction      ${((performance.now() - startMs) / READS).toFixed(4)} ms each`,
);
db.pragma("wal_checkpoint(TRUNCATE)");
console.log(
  `file ${(statSync(file).size / 1e6).toFixed(0)} MB; buckets: ${db.prepare(`SELECT COUNT(*) FROM "PostTeamDay"`).pluck().get()} rows`,
);

function time(name: string, sql: string, ...values: unknown[]): void {
  const statement = db.prepare(sql);
  const rounds: number[] = [];
  for (let round = 0; round < 9; round += 1) {
    startMs = performance.now();
    statement.all(...values);
    rounds.push(performance.now() - startMs);
  }
  rounds.sort((a, b) => a - b);
  console.log(`${name.padEnd(54)} ${(rounds[4] as number).toFixed(3)} ms (median of 9)`);
}

const halfYear = now - 182 * DAY_MS;
time("all reads, counted", `SELECT COUNT(*) FROM "PostRead"`);
time(
  "all readers, counted",
  `SELECT COUNT(DISTINCT COALESCE("userId", "clientId")) FROM "PostRead"`,
);
time("both, from the counter", `SELECT "reads", "readers" FROM "SiteTotal"`);
time(
  "standing of one post, from the rows",
  `SELECT u."team", COUNT(*) FROM "PostRead" r JOIN "User" u ON u."id" = r."userId" WHERE r."postSlug" = 'post-0' AND r."createdAt" > ? GROUP BY 1`,
  halfYear,
);
time(
  "standing of one post, from the days",
  `SELECT "team", SUM("reads") FROM "PostTeamDay" WHERE "postSlug" = 'post-0' AND "day" >= ? GROUP BY 1`,
  Math.floor(halfYear / DAY_MS),
);
time(
  "standings of every post, from the rows",
  `SELECT r."postSlug", u."team", COUNT(*) FROM "PostRead" r JOIN "User" u ON u."id" = r."userId" WHERE r."createdAt" > ? GROUP BY 1, 2`,
  halfYear,
);
time(
  "standings of every post, from the days",
  `SELECT "postSlug", "team", SUM("reads") FROM "PostTeamDay" WHERE "day" >= ? GROUP BY 1, 2`,
  Math.floor(halfYear / DAY_MS),
);
time(
  "has this reader read this post in 7 days",
  `SELECT 1 FROM "PostRead" WHERE "clientId" = ? AND "postSlug" = 'post-0' AND "createdAt" > ? LIMIT 1`,
  clients[0],
  now - 7 * DAY_MS,
);

// The cost of the triggers: the same inserts without them, in groups of a hundred, on the full table.
const group = (name: string) => {
  startMs = performance.now();
  for (let n = 0; n < 100; n += 1) fill(100);
  console.log(`${name.padEnd(54)} ${((performance.now() - startMs) / 10_000).toFixed(4)} ms each`);
};
group("one more read, a hundred a transaction, with triggers");
for (const name of db
  .prepare(`SELECT "name" FROM sqlite_schema WHERE "type" = 'trigger'`)
  .pluck()
  .all())
  db.exec(`DROP TRIGGER "${String(name)}"`);
group("the same without triggers");
db.close();
rmSync(folder, { recursive: true });
