// Measures this post's numbers: node content/blog/one-door-for-writes/measure.ts
// Works in a temporary folder; prints one line per number.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomUUID } from "node:crypto";

const folder = mkdtempSync(join(tmpdir(), "lectern-measure-"));
// Set before the modules load: they read the configuration at first use.
const file = join(folder, "measure.db");
Object.assign(process.env, { DATABASE_FILE: file }); // oxlint-disable-line lectern/no-process-env -- a standalone program
const { applyMigrations } = await import("#lib/db/migrations.ts");
const { closeDatabase, read, write } = await import("#lib/db/database.ts");
const { readSql, writeSql } = await import("#lib/db/sql.ts");

await applyMigrations(file, "prisma/migrations");
const userId = randomUUID();
const insertRead = `INSERT INTO "PostRead" ("id", "createdAt", "userId", "postSlug") VALUES (?, ?, ?, ?)`;
await write((tx) =>
  tx.user.create({
    data: { id: userId, email: "reader@example.com", firstName: "Ada", team: "RED" },
  }),
);
const insertOneRead = () =>
  writeSql((sql) => sql.run(insertRead, randomUUID(), Date.now(), userId, "a-post"));

async function each(name: string, times: number, run: () => Promise<unknown>): Promise<void> {
  const rounds: number[] = [];
  const cpuRounds: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const startMs = performance.now();
    const cpuBefore = process.cpuUsage();
    await run();
    const { user, system } = process.cpuUsage(cpuBefore);
    rounds.push((performance.now() - startMs) / times);
    cpuRounds.push((user + system) / 1_000 / times);
  }
  const medianMs = rounds.sort((a, b) => a - b)[2] as number;
  console.log(
    `${name.padEnd(40)} ${medianMs.toFixed(4)} ms each (median of 5), ${Math.min(...cpuRounds).toFixed(4)} ms of CPU time`,
  );
}

for (const group of [1, 10, 100, 1_000]) {
  const total = group === 1 ? 2_000 : 5_000;
  await each(`insert in plain SQL, ${group} at a time`, total, async () => {
    for (let done = 0; done < total; done += group)
      await Promise.all(Array.from({ length: group }, insertOneRead));
  });
}
for (const group of [1, 100]) {
  await each(`insert through Prisma, ${group} at a time`, 500, async () => {
    for (let done = 0; done < 500; done += group)
      await Promise.all(
        Array.from({ length: group }, () =>
          write((tx) => tx.postRead.create({ data: { userId, postSlug: "a-post" } })),
        ),
      );
  });
}
await each("read of two queries in plain SQL", 5_000, async () => {
  for (let n = 0; n < 5_000; n += 1) {
    await readSql((sql) => [
      sql.get(`SELECT * FROM "User" WHERE "id" = ?`, userId),
      sql.get(`SELECT * FROM "SiteTotal"`),
    ]);
  }
});
await each("read of two queries through Prisma", 500, async () => {
  for (let n = 0; n < 500; n += 1) {
    await read(async (tx) => [
      await tx.user.findUnique({ where: { id: userId } }),
      await tx.siteTotal.findUnique({ where: { id: 1 } }),
    ]);
  }
});
await closeDatabase();
rmSync(folder, { recursive: true });
