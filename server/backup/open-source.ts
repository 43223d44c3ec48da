// Opens this instance's database for the backup: LiteFS's transactions, or those of a plain file.

import { basename, join } from "node:path";
import Database from "better-sqlite3";
import { env } from "#lib/core/env.ts";
import type { ChangeSource } from "./change-source.ts";
import { openLitefsSource } from "./litefs-source.ts";
import { WalSource } from "./wal-source.ts";

export function openSource(): ChangeSource {
  if (!env.REPLICATION) return new WalSource(env.DATABASE_FILE);
  return openLitefsSource({
    url: env.LITEFS_URL,
    storeDir: env.LITEFS_DATA_DIR ?? join(env.DATA_DIR, "litefs"),
    name: basename(env.DATABASE_FILE),
    scratchFile: join(env.DATA_DIR, "backup-snapshot.db"),
  });
}

/** Returns true if the site has no members. */
export function isNewSite(): boolean {
  const db = new Database(env.DATABASE_FILE, { readonly: true, fileMustExist: true });
  try {
    return db.prepare("SELECT NOT EXISTS (SELECT 1 FROM User)").pluck().get() === 1;
  } finally {
    db.close();
  }
}
