// Upserts reads one by one with Prisma, as a simple migration script would, and prints the
// milliseconds.
// Usage: node bench/migrate/baseline-prisma.ts --url URL --file FILE --rows N

import { parseArgs } from "node:util";
import { PrismaBetterSqlite3 } from "@prisma/adapter-better-sqlite3";
import Database from "better-sqlite3";
import pg from "pg";
import { type Prisma, PrismaClient } from "../../prisma/generated/client.ts";

const { values } = parseArgs({
  options: { url: { type: "string" }, file: { type: "string" }, rows: { type: "string" } },
});
const file = values.file!;
const source = new pg.Client({ connectionString: values.url! });
await source.connect();

// The reads' users must exist.
const db = new Database(file);
const user = db.prepare(
  `INSERT INTO "User" ("id", "createdAt", "updatedAt", "email", "firstName", "team") VALUES (?, 0, 0, ?, '', 'RED')`,
);
const { rows: users } = await source.query<{ id: string }>(`SELECT "id" FROM "User"`);
db.transaction(() => users.forEach(({ id }) => user.run(id, id)))();
db.close();

const prisma = new PrismaClient({
  adapter: new PrismaBetterSqlite3({ url: `file:${file}` }, { timestampFormat: "unixepoch-ms" }),
});
await prisma.$connect();
const startedMs = performance.now();
const { rows } = await source.query<Prisma.PostReadUncheckedCreateInput>(
  `SELECT "id", "createdAt" AT TIME ZONE 'UTC' AS "createdAt", "userId", "clientId", "postSlug" FROM "PostRead" LIMIT ${Number(values.rows)}`,
);
for (const row of rows)
  await prisma.postRead.upsert({ where: { id: row.id! }, create: row, update: row });
console.log(JSON.stringify({ ms: performance.now() - startedMs, rows: rows.length }));
await prisma.$disconnect();
await source.end();
