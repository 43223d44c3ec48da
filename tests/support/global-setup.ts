// Creates this run's folder, with the migrated database that every unit test copies.

import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { TestProject } from "vitest/node";
import { applyMigrations } from "#lib/db/migrations.ts";
import { TEMPLATE_NAME } from "./fresh-database.ts";

/**
 * Removes the folders of killed runs, which may take up memory (/dev/shm). Their names end with the
 * run's process ID.
 */
function removeAbandoned(folder: string): void {
  const prefix = basename(folder).replace(/\d+$/, "");
  for (const name of readdirSync(dirname(folder)))
    if (name.startsWith(prefix) && !isRunning(Number(name.slice(prefix.length))))
      rmSync(join(dirname(folder), name), { recursive: true, force: true });
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return pid !== process.pid;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Returns the teardown function. */
export default async function setup({ config }: TestProject): Promise<() => void> {
  const folder = config.env.TMPDIR!;
  removeAbandoned(folder);
  // PostgreSQL may run as another user, who must be able to read it.
  mkdirSync(folder, { mode: 0o755 });
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  process.on("exit", remove);
  await applyMigrations(join(folder, TEMPLATE_NAME), "prisma/migrations");
  return remove;
}
