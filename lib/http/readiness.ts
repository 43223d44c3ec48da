// Whether this instance may be sent requests. Only its own state counts: when the primary dies every replica must go on answering.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { MINUTE_MS } from "#lib/core/clock.ts";
import { replicationLagMs } from "#lib/replication/node-view.ts";
import { log } from "#lib/core/log.ts";
import { readSql } from "#lib/db/database.ts";
import { isReplicated } from "#lib/core/instance.ts";
import { readNodeStatus } from "#lib/replication/node-status.ts";

/**
 * A replica that knows its primary and has not heard of it for so long shows what is old, while others don't. The primary sends a
 * sign each second; a deploy or an election takes some ten.
 */
const MAX_HEARTBEAT_AGE_MS = MINUTE_MS;

export interface Readiness {
  readonly ready: boolean;
  readonly role: "primary" | "replica" | "unknown";
  readonly region: string | null;
  readonly txid: number | null;
  readonly behindMs: number | null;
  readonly database: "readable" | "unreadable";
  /** How many the code has and the database has not; null where that can't be told. */
  readonly migrationsMissing: number | null;
  /** On the primary of a cluster: whether what must not be lost is held by a second machine. null elsewhere. */
  readonly standby: "connected" | "slow" | "no standby is connected" | null;
  /** Sentences for what fails it. */
  readonly problems: readonly string[];
}

let bundledMigrations: readonly string[] | null | undefined;

/** The migrations that came with this code; null where their folder did not. */
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
    return await readSql(
      (sql) =>
        new Set(
          sql
            .all<{ name: string }>(
              `SELECT "migration_name" AS "name" FROM "_prisma_migrations" WHERE "finished_at" IS NOT NULL AND "rolled_back_at" IS NULL`,
            )
            .map(({ name }) => name),
        ),
    );
  } catch (error) {
    log("error", "ready.database_unreadable", { error });
    return null;
  }
}

/** The state of this instance, read now. Names no machine. */
export async function checkReadiness(): Promise<Readiness> {
  const status = readNodeStatus();
  const applied = await readAppliedMigrations();
  const own = listBundledMigrations();
  const missing = applied && own ? own.filter((name) => !applied.has(name)).length : null;
  const problems: string[] = [];
  if (!applied) problems.push("The database can't be read.");
  // A replica of a newer version waits for the primary to be replaced: were it not ready, the deploy would wait for it.
  if (missing && status.role === "primary")
    problems.push(`${missing} ${missing === 1 ? "migration is" : "migrations are"} not applied.`);
  if (
    status.role === "replica" &&
    status.silenceMs !== null &&
    status.silenceMs > MAX_HEARTBEAT_AGE_MS
  )
    problems.push("Nothing was heard of the primary for more than a minute.");
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
  };
}
