// Applies pending migrations, and seeds a new database with examples unless SEED=off.

import { existsSync } from "node:fs";
import { env } from "#lib/core/env.ts";
import { isAppError } from "#lib/core/errors.ts";
import { sqliteErrorCode } from "#lib/core/sqlite-error.ts";
import { closeDatabase } from "#lib/db/database.ts";
import { applyMigrations } from "#lib/db/migrations.ts";
import { seedDatabase } from "../prisma/seed.ts";

try {
  const isNew = !existsSync(env.DATABASE_FILE);
  const applied = await applyMigrations(env.DATABASE_FILE, "prisma/migrations");
  if (applied.length > 0) console.log(`${env.DATABASE_FILE}: applied ${applied.join(", ")}`);
  if (isNew && process.env.SEED !== "off") {
    const { members, reads, episodes } = await seedDatabase();
    console.log(
      `${env.DATABASE_FILE} is new: added ${members} example members, ${reads} example reads and ${episodes} example episodes. For an empty site, delete it and start with SEED=off.`,
    );
  }
  await closeDatabase();
} catch (error) {
  // Other errors are bugs: their stack is shown.
  const code = sqliteErrorCode(error);
  if (code === "") throw error;
  const { message } = error as Error;
  console.error(isAppError(error) ? message : `${env.DATABASE_FILE}: ${message} (${code})`);
  process.exitCode = 1;
}
