// Creates the migrated database that every unit test copies, once per run.

import { rmSync } from "node:fs";
import { applyMigrations } from "#lib/db/migrations.ts";
import { TEMPLATE_FILE } from "./fresh-database.ts";

function removeTemplate(): void {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(TEMPLATE_FILE + suffix, { force: true });
}

/** Returns the teardown. */
export default async function setup(): Promise<() => void> {
  removeTemplate();
  await applyMigrations(TEMPLATE_FILE, "prisma/migrations");
  return removeTemplate;
}
