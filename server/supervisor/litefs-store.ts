// Reads LiteFS's store on disk, and quarantines a corrupt one.

import { existsSync, readFileSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Position, formatTxid } from "#lib/replication/litefs-node-state.ts";
import { readChecksumAfter } from "#server/backup/ltx.ts";

export interface StoreState {
  /** ID of the cluster that the data belongs to. A node can have it before it has data. */
  readonly clusterId: string | null;
  readonly hasData: boolean;
  /** The newest transaction, from the name of its LTX file; 0 without data. */
  readonly txid: number;
}

const MAX_QUARANTINED_STORES = 2;

/** Returns the state of the database `name` in the store in `dir`. */
export function readStore(dir: string, name: string): StoreState {
  const id = join(dir, "clusterid");
  const database = join(dir, "dbs", name, "database");
  const ltx = join(dir, "dbs", name, "ltx");
  const last = existsSync(ltx)
    ? readdirSync(ltx)
        .flatMap((file) => /^[0-9a-f]{16}-([0-9a-f]{16})\.ltx$/.exec(file)?.[1] ?? [])
        .sort()
        .at(-1)
    : undefined;
  const hasData = last !== undefined && existsSync(database) && statSync(database).size > 0;
  return {
    clusterId: existsSync(id) ? readFileSync(id, "utf8").trim() || null : null,
    hasData,
    txid: hasData ? Number.parseInt(last, 16) : 0,
  };
}

/**
 * Returns true if the store of a node at transaction `txid` includes the transaction of `needed`.
 * The number alone is not enough: a former primary may have its own transactions with the same
 * numbers. LiteFS keeps LTX files for ten minutes (`retention`); without the file or a checksum,
 * only the numbers are compared.
 */
export function hasTransaction(dir: string, name: string, txid: number, needed: Position): boolean {
  if (txid < needed.txid) return false;
  if (!needed.checksum) return true;
  const hex = formatTxid(needed.txid);
  try {
    const file = join(dir, "dbs", name, "ltx", `${hex}-${hex}.ltx`);
    return readChecksumAfter(file) === needed.checksum;
  } catch (error) {
    // LiteFS may delete the file at any time.
    return (error as NodeJS.ErrnoException).code === "ENOENT";
  }
}

/** The second prefix is that of earlier versions. */
const quarantinePrefixes = (dir: string) =>
  [`${basename(dir)}.quarantine-`, `${basename(dir)}.aside-`] as const;

/**
 * Renames the store to `<dir>.quarantine-<time>` and returns that path. Keeps the two newest
 * quarantined stores.
 */
export function quarantineStore(dir: string, now: Date): string {
  const quarantined = join(
    dirname(dir),
    `${quarantinePrefixes(dir)[0]}${now.toISOString().replace(/[:.]/g, "-")}`,
  );
  renameSync(dir, quarantined);
  pruneQuarantine(dir, MAX_QUARANTINED_STORES);
  return quarantined;
}

/** Deletes all but the `keepCount` newest quarantined stores. Returns the number deleted. */
export function pruneQuarantine(dir: string, keepCount: number): number {
  // ".aside-" sorts before ".quarantine-", so the stores of earlier versions are deleted first.
  const all = readdirSync(dirname(dir))
    .filter((name) => quarantinePrefixes(dir).some((prefix) => name.startsWith(prefix)))
    .sort();
  const dropped = all.slice(0, all.length - keepCount);
  for (const old of dropped) rmSync(join(dirname(dir), old), { recursive: true, force: true });
  return dropped.length;
}
