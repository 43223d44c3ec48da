// Demonstrates the lost write of the usual setup: node content/blog/one-door-for-writes/lost-write.ts

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PrismaBetterSqlite3 } from "@prisma/adapter-better-sqlite3";
import Database from "better-sqlite3";
import { applyMigrations } from "#lib/db/migrations.ts";
import { PrismaClient } from "../../../prisma/generated/client.ts";

const folder = mkdtempSync(join(tmpdir(), "lectern-lost-"));
const file = join(folder, "lost.db");
await applyMigrations(file, "prisma/migrations");

const prisma = new PrismaClient({
  adapter: new PrismaBetterSqlite3({ url: `file:${file}` }, { timestampFormat: "unixepoch-ms" }),
});
const member = (email: string) => ({ data: { email, firstName: "Ada", team: "RED" } });

let opened = () => {};
const isOpen = new Promise<void>((resolve) => (opened = resolve));
let goOn = () => {};
const mayGoOn = new Promise<void>((resolve) => (goOn = resolve));

const transaction = prisma
  .$transaction(async (tx) => {
    await tx.user.create(member("one@example.com"));
    opened();
    await mayGoOn;
    throw new Error("this request failed");
  })
  .catch((error: Error) => console.log(`A: rolled back (${error.message})`));

await isOpen;
const stranger = await Promise.race([
  prisma.user.create(member("two@example.com")).then((row) => row.email),
  new Promise((resolve) => setTimeout(resolve, 1_000, "still waiting after one second")),
]);
console.log(`B: create() outside the transaction gave: ${stranger}`);
console.log(
  `C: a reader outside the transaction sees ${await Promise.race([prisma.user.count(), new Promise((r) => setTimeout(r, 1_000, "nothing yet"))])} members before any commit`,
);
goOn();
await transaction;
await new Promise((resolve) => setImmediate(resolve));
console.log(
  `D: afterwards the table holds ${JSON.stringify((await prisma.user.findMany({ select: { email: true } })).map((row) => row.email))}`,
);
await prisma.$disconnect();

// A deferred transaction that reads and then writes, while another connection has written in between.
const one = new Database(file, { timeout: 5_000 });
const two = new Database(file, { timeout: 5_000 });
one.exec("BEGIN");
one.prepare(`SELECT COUNT(*) FROM "PostTotal"`).get();
two.exec(`INSERT INTO "PostTotal" VALUES ('other', 1)`);
const startMs = performance.now();
try {
  one.exec(`INSERT INTO "PostTotal" VALUES ('mine', 1)`);
} catch (error) {
  console.log(
    `E: ${(error as { code: string }).code} after ${(performance.now() - startMs).toFixed(2)} ms, with a busy timeout of 5000 ms`,
  );
}
one.exec("ROLLBACK");
one.close();
two.close();
rmSync(folder, { recursive: true });
