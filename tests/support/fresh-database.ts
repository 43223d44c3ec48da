// Gives each unit test its own migrated database and cache file.

import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closeCacheFile } from "#lib/cache/cache-file.ts";
import { clearCacheMemory } from "#lib/cache/define-cache.ts";
// Not from database.ts, which loads Prisma.
import { closeDatabase } from "#lib/db/connection-pool.ts";
import { overrideEnv } from "./override-env.ts";

export const TEMPLATE_NAME = "template.db";
/**
 * Made once by tests/support/global-setup.ts. It is checkpointed and closed, so a copy of the file
 * is complete.
 */
export const TEMPLATE_FILE = join(tmpdir(), TEMPLATE_NAME);

/** Points this process at new files in a folder of their own. `cleanUp` removes them. */
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
