// apply-migrations.ts FILE [pending | new] : what the launcher runs as the site's user, in a process of its own.
// Without a word it applies what is missing; `pending` only prints it; `new` makes a database that is ready for `litefs import`.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { openConnection } from "#lib/db/connection.ts";
import { isReplicated } from "#lib/core/instance.ts";
import { applyMigrations, readMigrations } from "#lib/db/migrations.ts";

const [file, word] = process.argv.slice(2);
if (!file) throw new Error("apply-migrations.ts FILE [pending | new]");
const migrationsDir = join(import.meta.dirname, "..", "..", "prisma", "migrations");

/** The migrations that the database does not have. It is opened for reading only. */
async function listPendingMigrations(of: string): Promise<string[]> {
  const { db, close } = await openConnection(of, "reader", 5_000);
  try {
    const isKept = db
      .prepare(`SELECT 1 FROM sqlite_schema WHERE name = '_prisma_migrations'`)
      .get();
    const done = isKept
      ? db
          .prepare(
            `SELECT "migration_name" FROM "_prisma_migrations" WHERE "finished_at" IS NOT NULL AND "rolled_back_at" IS NULL`,
          )
          .pluck()
          .all()
      : [];
    return readMigrations(migrationsDir)
      .map(({ name }) => name)
      .filter((name) => !done.includes(name));
  } finally {
    close();
  }
}

if (word === "pending") {
  // Opening would make the file.
  console.log(
    JSON.stringify(
      existsSync(file)
        ? await listPendingMigrations(file)
        : readMigrations(migrationsDir).map(({ name }) => name),
    ),
  );
} else {
  console.log(
    JSON.stringify(
      await applyMigrations(file, migrationsDir, { isNewerFine: isReplicated() && word !== "new" }),
    ),
  );
}
