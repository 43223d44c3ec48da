// Decides whether this instance may receive requests. Only its own state counts: replicas keep
// serving reads while the primary is down.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { MINUTE_MS } from "#lib/core/clock.ts";
import { replicationLagMs } from "#lib/replication/node-view.ts";
import { log } from "#lib/core/log.ts";
import { listAppliedMigrations } from "#lib/db/applied-migrations.sql.ts";
import { isDiskFull } from "#lib/replication/disk-space.ts";
import { isReplicated } from "#lib/core/instance.ts";
import { readNodeStatus } from "#lib/replication/node-status.ts";
import { findContentOutage } from "./content-outage.ts";

/**
 * A replica without a heartbeat for this long is stale. Heartbeats arrive every second; a deploy or
 * failover takes about ten seconds.
 */
const MAX_HEARTBEAT_AGE_MS = MINUTE_MS;

export interface Readiness {
  readonly ready: boolean;
  readonly role: "primary" | "replica" | "unknown";
  readonly region: string | null;
  readonly txid: number | null;
  readonly behindMs: number | null;
  readonly database: "readable" | "unreadable";
  /** Migrations of this code that the database lacks; null if unknown. */
  readonly migrationsMissing: number | null;
  /** On a cluster's primary, whether durable writes reach a second machine; null elsewhere. */
  readonly standby: "connected" | "slow" | "no standby is connected" | null;
  /** Why the instance is not ready; empty if it is. */
  readonly problems: readonly string[];
  /** What does not work although the instance is ready: it still serves reads. */
  readonly degraded: readonly string[];
}

let bundledMigrations: readonly string[] | null | undefined;

/**
 * Returns the names of the migrations that ship with this code; null if their folder is missing.
 */
function listBundledMigrations(): readonly string[] | null {
  if (bundledMigrations !== undefined) return bundledMigrations;
  try {
    bundledMigrations = readdirSync(join(process.cwd(), "prisma", "migrations"), {
      withFileTypes: true,
    })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    bundledMigrations = null;
  }
  return bundledMigrations;
}

async function readAppliedMigrations(): Promise<ReadonlySet<string> | null> {
  try {
    return new Set(await listAppliedMigrations());
    // oxlint-disable-next-line lectern/no-swallowed-replay -- only reads
  } catch (error) {
    log("error", "ready.database_unreadable", { error });
    return null;
  }
}

/** Returns this instance's readiness now. The result is public, so it names no machine. */
export async function checkReadiness(): Promise<Readiness> {
  const status = readNodeStatus();
  const applied = await readAppliedMigrations();
  const bundled = listBundledMigrations();
  const missing = applied && bundled ? bundled.filter((name) => !applied.has(name)).length : null;
  const problems: string[] = [];
  if (!applied) problems.push("The database can't be read.");
  const outage = findContentOutage();
  if (outage) problems.push(`There are no posts yet: ${outage.reason}`);
  // A replica with newer code stays ready until the primary is replaced, or the deploy would wait
  // for it forever.
  if (missing && status.role === "primary")
    problems.push(`${missing} ${missing === 1 ? "migration is" : "migrations are"} not applied.`);
  if (
    status.role === "replica" &&
    status.silenceMs !== null &&
    status.silenceMs > MAX_HEARTBEAT_AGE_MS
  )
    problems.push("The primary has not sent a heartbeat for more than a minute.");
  const standby =
    isReplicated() && status.role === "primary"
      ? status.standbys.length === 0
        ? "no standby is connected"
        : status.standbys.some(({ isStalled }) => !isStalled)
          ? "connected"
          : "slow"
      : null;
  return {
    ready: problems.length === 0,
    role: status.role,
    region: status.region,
    txid: status.txid,
    behindMs: replicationLagMs(status),
    database: applied ? "readable" : "unreadable",
    migrationsMissing: missing,
    standby,
    problems,
    degraded: isDiskFull() ? ["The disk is full, so nothing can be saved."] : [],
  };
}
