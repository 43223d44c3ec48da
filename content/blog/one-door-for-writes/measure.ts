// Measures this post's numbers: node content/blog/one-door-for-writes/measure.ts
// Works in a temporary folder; prints one line per number.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomUUID } from "node:crypto";

const folder = mkdtempSync(join(tmpdir(), "lectern-measure-"));
// Set before the modules load: they read the configuration at first use.
const file = join(folder, "measure.db");
Object.assign(process.env, { DATABASE_FILE: file }); // eslint-disable-line no-restricted-syntax -- a program of its own
const { applyMigrations: migrate } = await import("#lib/db/migrations.ts");
const {
  closeDatabase,
  read: snapshot,
  readSql: readSql,
  write,
  writeSql,
} = await import("#lib/db/database.ts");

await migrate(file, "prisma/migrations");
const userId = randomUUID();
const insertUser = `INSERT INTO "User" ("id", "createdAt", "updatedAt", "email", "firstName", "team") VALUES (?, ?, ?, ?, ?, ?)`;
const insertRead = `INSERT INTO "PostRead" ("id", "createdAt", "userId", "postSlug") VALUES (?, ?, ?, ?)`;
await writeSql((sql) =>
  sql.run(insertUser, userId, Date.now(), Date.now(), "reader@example.com", "Ada", "RED"),
);
const insertOneRead = () =>
  writeSql((sql) => sql.run(insertRead, randomUUID(), Date.now(), userId, "a-post"));

async function each(name: string, times: number, run: () => Promise<unknown>): Promise<void> {
  const rounds: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const startMs = performance.now();
    await run();
    rounds.push((performance.now() - startMs) / times);
  }
  rounds.sort((a, b) => a - b);
  console.log(`${name.padEnd(52)} ${(rounds[2] as number).toFixed(4)} ms each (median of 5)`);
}

for (const group of [1, 10, 100, 1_000]) {
  const total = group === 1 ? 2_000 : 5_000;
  await each(`writeSql, ${group} at a time`, total, async () => {
    for (let done = 0; done < total; done += group)
      await Promise.all(Array.from({ length: group }, insertOneRead));
  });
}
await each("write through Prisma, one at a time", 300, async () => {
  for (let n = 0; n < 300; n += 1) {
    await write(({ prisma }) => prisma.postRead.create({ data: { userId, postSlug: "a-post" } }));
  }
});
await each("readSql, two queries", 5_000, async () => {
  for (let n = 0; n < 5_000; n += 1) {
    await readSql((sql) => [
      sql.get(`SELECT * FROM "User" WHERE "id" = ?`, userId),
      sql.get(`SELECT * FROM "SiteTotal"`),
    ]);
  }
});
await each("snapshot through Prisma, two queries", 500, async () => {
  for (let n = 0; n < 500; n += 1) {
    await snapshot(async ({ prisma }) => [
      await prisma.user.findUnique({ where: { id: userId } }),
      await prisma.siteTotal.findUnique({ where: { id: 1 } }),
    ]);
  }
});
await closeDatabase();
rmSync(folder, { recursive: true });
