// Applies migrations: apply-migrations.ts FILE [pending | new]. The launcher runs it as the site's
// user. `pending` only lists missing migrations; `new` creates a database for `litefs import`.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { openConnection } from "#lib/db/connection.ts";
import { isReplicated } from "#lib/core/instance.ts";
import { applyMigrations, readAppliedMigrations, readMigrations } from "#lib/db/migrations.ts";

const [file, mode] = process.argv.slice(2);
if (!file) throw new Error("apply-migrations.ts FILE [pending | new]");
const migrationsDir = join(import.meta.dirname, "..", "..", "prisma", "migrations");

/** Returns the names of the pending migrations, without writing to the database. */
async function listPendingMigrations(databaseFile: string): Promise<string[]> {
  const { db, close } = await openConnection(databaseFile, "reader", 5_000);
  try {
    const applied = new Set(readAppliedMigrations(db).map(({ name }) => name));
    return readMigrations(migrationsDir)
      .map(({ name }) => name)
      .filter((name) => !applied.has(name));
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
