// Shares compiled posts among the sites that tests start. Without it, each site and each node of a
// cluster would compile the same posts.

import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";

const SHARED_FILE = join(".data", "shared-cache.db");
/** Entries whose keys identify everything that their values depend on. */
const SHARED_KEYS = ["site.compiled:*", "image.measurement:*"];
const MAX_ENTRIES = 500;

const cacheFileIn = (dataDir: string) => join(dataDir, "cache.db");

/** Copies the shared entries to a data folder that has no cache yet. */
export function seedCache(dataDir: string): void {
  const file = cacheFileIn(dataDir);
  if (!existsSync(SHARED_FILE) || existsSync(file)) return;
  mkdirSync(dataDir, { recursive: true });
  copyFileSync(SHARED_FILE, file);
}

/** Adds the entries of a site to the shared ones. The site may be running. */
export function shareCache(dataDir: string): void {
  if (!existsSync(cacheFileIn(dataDir))) return;
  const partialFile = `${SHARED_FILE}.${process.pid}`;
  rmSync(partialFile, { force: true });
  const db = new Database(partialFile, { timeout: 10_000 });
  db.prepare("ATTACH ? AS site").run(cacheFileIn(dataDir));
  const schema = db
    .prepare("SELECT sql FROM site.sqlite_schema WHERE tbl_name = 'cache' AND sql NOT NULL")
    .pluck()
    .all() as string[];
  for (const sql of schema) db.exec(sql);
  const versionOf = (name: string) => Number(db.pragma(`${name}.user_version`, { simple: true }));
  db.pragma(`user_version = ${versionOf("site")}`);
  db.prepare(
    `INSERT INTO main.cache SELECT * FROM site.cache WHERE ${SHARED_KEYS.map(() => "key GLOB ?").join(" OR ")} ORDER BY usedAt DESC LIMIT ${MAX_ENTRIES}`,
  ).run(SHARED_KEYS);
  if (existsSync(SHARED_FILE)) {
    db.prepare("ATTACH ? AS shared").run(SHARED_FILE);
    if (versionOf("shared") === versionOf("site"))
      db.exec(
        `INSERT OR IGNORE INTO main.cache SELECT * FROM shared.cache ORDER BY usedAt DESC LIMIT ${MAX_ENTRIES}`,
      );
  }
  db.close();
  // Atomic: sites that start now copy either the old or the new file.
  renameSync(partialFile, SHARED_FILE);
}
