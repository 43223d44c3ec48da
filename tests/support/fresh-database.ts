// A fresh migrated database and cache file for each test, shared by unit tests, e2e and seed.

import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resetEnv } from "#lib/core/env.ts";
import { closeCacheFile } from "#lib/cache/cache-file.ts";
import { clearCacheMemory } from "#lib/cache/define-cache.ts";
import { closeDatabase } from "#lib/db/database.ts";

/** Made once by tests/support/global-setup.ts; SQLite has checkpointed and closed it, so a copy of the one file is whole. */
export const TEMPLATE_FILE = join(
  tmpdir(),
  `lectern-template-${process.env.LECTERN_TEST_RUN ?? "unit"}.db`,
);

/** Points this process at new files in a folder of their own. Returns what removes them. */
export function useFreshDatabase(): { dir: string; file: string; cleanUp(): Promise<void> } {
  const dir = mkdtempSync(join(tmpdir(), "lectern-test-"));
  const file = join(dir, "lectern.db");
  copyFileSync(TEMPLATE_FILE, file);
  overrideEnv({ DATA_DIR: dir, DATABASE_FILE: file, CACHE_FILE: join(dir, "cache.db") });
  return {
    dir,
    file,
    async cleanUp() {
      await closeDatabase();
      closeCacheFile();
      clearCacheMemory();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Sets variables (undefined removes one) and has the configuration read again. */
export function overrideEnv(variables: Record<string, string | undefined>): void {
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  resetEnv();
}
