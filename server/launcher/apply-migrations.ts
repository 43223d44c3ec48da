// Applies migrations: apply-migrations.ts FILE [pending | new]. The launcher runs it as the site's
// user. `pending` only lists missing migrations; `new` creates a database for `litefs import`.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { openConnection } from "#lib/db/connection.ts";
import { isReplicated } from "#lib/core/instance.ts";
import { applyMigrations, readMigrations } from "#lib/db/migrations.ts";

const [file, mode] = process.argv.slice(2);
if (!file) throw new Error("apply-migrations.ts FILE [pending | new]");
const migrationsDir = join(import.meta.dirname, "..", "..", "prisma", "migrations");

/** Returns the names of the pending migrations, without writing to the database. */
async function listPendingMigrations(databaseFile: string): Promise<string[]> {
  const { db, close } = await openConnection(databaseFile, "reader", 5_000);
  try {
    const hasMigrationsTable = db
      .prepare(`SELECT 1 FROM sqlite_schema WHERE name = '_prisma_migrations'`)
      .get();
    const applied = hasMigrationsTable
      ? db
          .prepare(
            `SELECT "migration_name" FROM "_prisma_migrations" WHERE "finished_at" IS NOT NULL AND "rolled_back_at" IS NULL`,
          )
          .pluck()
          .all()
      : [];
    return readMigrations(migrationsDir)
      .map(({ name }) => name)
      .filter((name) => !applied.includes(name));
  } finally {
    close();
  }
}

if (mode === "pending") {
  // Don't open a missing file, because that would create it.
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
      await applyMigrations(file, migrationsDir, {
        allowNewerSchema: isReplicated() && mode !== "new",
      }),
    ),
  );
}
