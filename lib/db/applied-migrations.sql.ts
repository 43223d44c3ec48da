// Reads Prisma's migrations table in plain SQL. The table has no model, because schema.prisma
// declares only the tables that migrations create.

import { readSql } from "./sql.ts";

/** Returns the names of the applied migrations. */
export async function listAppliedMigrations(): Promise<string[]> {
  const rows = await readSql((sql) =>
    sql.all<{ name: string }>(
      `SELECT "migration_name" AS "name" FROM "_prisma_migrations" WHERE "finished_at" IS NOT NULL AND "rolled_back_at" IS NULL`,
    ),
  );
  return rows.map(({ name }) => name);
}
