// Opens the transactions of this instance: LiteFS's, or those of a plain file.

import { basename, join } from "node:path";
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
