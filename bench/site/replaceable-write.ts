// Replaces lib/db/sql.ts in the bench site's copy of record-beacon.sql.ts, so that a route can
// replace the write.

import { AsyncLocalStorage } from "node:async_hooks";
import * as database from "#lib/db/sql.ts";

export * from "#lib/db/sql.ts";

export type WriteSql = typeof database.writeSql;

const replacement = new AsyncLocalStorage<WriteSql>();

/** Runs `fn`, whose writes go through `write`. */
export const withWrite = <T>(write: WriteSql, fn: () => T): T => replacement.run(write, fn);

export const writeSql: WriteSql = (fn, options) =>
  (replacement.getStore() ?? database.writeSql)(fn, options);
