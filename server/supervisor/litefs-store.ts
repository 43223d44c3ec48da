// The folder in which LiteFS keeps what is replicated: what is in it, and how it is put aside.

import { existsSync, readFileSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";

export interface StoreState {
  /** The cluster that the data is of. A node has it before it has data (trap 7 of the notes on LiteFS). */
  readonly clusterId: string | null;
  readonly hasData: boolean;
  /** Number of the newest transaction, from the name of its file; 0 without data. */
  readonly txid: number;
}

/** How many stores that were put aside are kept, the newest. */
const MAX_QUARANTINED_STORES = 2;

/** What the store in `dir` holds of the database `name`. */
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

const quarantinePrefix = (dir: string) => `${basename(dir)}.aside-`;

/** Renames the store to `<dir>.aside-<time>`, which it returns, and deletes all but the two newest of those. */
export function quarantineStore(dir: string, now: Date): string {
  const aside = join(
    dirname(dir),
    `${quarantinePrefix(dir)}${now.toISOString().replace(/[:.]/g, "-")}`,
  );
  renameSync(dir, aside);
  pruneQuarantine(dir, MAX_QUARANTINED_STORES);
  return aside;
}

/** Deletes all but the `kept` newest of the stores that were put aside. Returns how many it deleted. */
export function pruneQuarantine(dir: string, kept: number): number {
  const all = readdirSync(dirname(dir))
    .filter((name) => name.startsWith(quarantinePrefix(dir)))
    .sort();
  const dropped = all.slice(0, all.length - kept);
  for (const old of dropped) rmSync(join(dirname(dir), old), { recursive: true, force: true });
  return dropped.length;
}
