// Creates and drops the replication slot and publication, and reads positions in the source's
// write-ahead log (WAL).

import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { AppError } from "#lib/core/errors.ts";
import { withTimeout } from "#lib/core/with-timeout.ts";
import { parseLsn } from "./pgoutput.ts";
import {
  OBJECT_IN_USE,
  SourceError,
  closeSource,
  connectSource,
  readRows,
  withSource,
} from "./source-connection.ts";
import { qualifiedSourceName } from "./source-sql.ts";
import type { TableMapping } from "./table-mapping.ts";

/** The name of both the slot and the publication. */
export const SLOT_NAME = "lectern_migration";

/** Creating a slot waits for all open transactions. A longer wait is an error. */
const CREATE_TIMEOUT_MS = 120_000;
/** How long to wait for a connection that uses the slot to end. */
const DROP_TIMEOUT_MS = 20_000;
const POLL_MS = 100;

export interface ExportedSnapshot {
  /** For SET TRANSACTION SNAPSHOT, until it is released. */
  readonly name: string;
  /** An LSN. The snapshot sees exactly the transactions that committed before it. */
  readonly position: string;
  /** Must be called. Transactions that already use the snapshot keep it. */
  release(): Promise<void>;
}

/**
 * Returns the tables to stream. Tables without a key cannot be streamed, and a publication would
 * make their updates fail in the source.
 */
export function listStreamedTables(tables: readonly TableMapping[]): TableMapping[] {
  return tables.filter(({ key }) => key.length > 0);
}

/**
 * Creates publication and slot, or neither. Throws AppError: conflict if one exists, forbidden
 * without the privilege, unavailable if a transaction stays open for two minutes.
 */
export async function createSlotAndPublication(
  url: string,
  tables: readonly TableMapping[],
  signal?: AbortSignal,
): Promise<ExportedSnapshot> {
  return withSource(url, async (client) => {
    const [row] = await readRows<{ existing: string; version: string }>(
      client,
      "SELECT ((SELECT count(*) FROM pg_replication_slots WHERE slot_name = $1) + (SELECT count(*) FROM pg_publication WHERE pubname = $1))::text AS existing, current_setting('server_version_num') AS version",
      [SLOT_NAME],
    );
    if (row!.existing !== "0")
      throw new AppError(
        "conflict",
        `The source already has a slot or publication "${SLOT_NAME}", from an unfinished migration. abort removes it.`,
      );
    const names = [...new Set(listStreamedTables(tables).map(qualifiedSourceName))];
    // Streams partitions under the name of their table.
    const viaRoot =
      Number(row!.version) >= 130_000 ? " WITH (publish_via_partition_root = true)" : "";
    await readRows(
      client,
      `CREATE PUBLICATION ${SLOT_NAME} FOR TABLE ${names.join(", ")}${viaRoot}`,
    );
    try {
      return await createReplicationSlot(
        url,
        `${SLOT_NAME} LOGICAL pgoutput EXPORT_SNAPSHOT`,
        signal,
      );
    } catch (error) {
      await dropSlot(url).catch(() => {});
      throw error;
    }
  });
}

/**
 * Exports a snapshot of the current state with a temporary slot. Throws like
 * createSlotAndPublication.
 */
export function exportCurrentSnapshot(
  url: string,
  signal?: AbortSignal,
): Promise<ExportedSnapshot> {
  return createReplicationSlot(
    url,
    `${SLOT_NAME}_now_${process.pid} TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT`,
    signal,
  );
}

async function createReplicationSlot(
  url: string,
  definition: string,
  signal?: AbortSignal,
): Promise<ExportedSnapshot> {
  signal?.throwIfAborted();
  const client = await connectSource(url, { replication: true });
  const close = () => void closeSource(client);
  signal?.addEventListener("abort", close);
  try {
    const [row] = await withTimeout(
      readRows<{ consistent_point: string; snapshot_name: string }>(
        client,
        `CREATE_REPLICATION_SLOT ${definition}`,
      ),
      CREATE_TIMEOUT_MS,
      `A transaction in the source has been open for ${CREATE_TIMEOUT_MS / 1000} seconds, and a slot cannot be created before it ends. See pg_stat_activity, xact_start.`,
      close,
    );
    return {
      name: row!.snapshot_name,
      position: row!.consistent_point,
      release: () => closeSource(client),
    };
  } catch (error) {
    close();
    throw error;
  } finally {
    signal?.removeEventListener("abort", close);
  }
}

/** Returns whether this database has the migration's slot. */
export async function hasSlot(url: string): Promise<boolean> {
  return withSource(url, async (client) => (await findSlot(client)) !== undefined);
}

/** Returns this database's slot with the process that uses it, if any. */
async function findSlot(client: pg.Client): Promise<{ pid: string | null } | undefined> {
  const [slot] = await readRows<{ pid: string | null }>(
    client,
    "SELECT active_pid::text AS pid FROM pg_replication_slots WHERE slot_name = $1 AND database = current_database()",
    [SLOT_NAME],
  );
  return slot;
}

/**
 * Counts the slot's transactions that changed rows and commit at the LSN `position` or later,
 * without consuming them.
 */
export async function countPendingTransactions(url: string, position: string): Promise<number> {
  return withSource(url, async (client) => {
    // A begin message ("B") contains the LSN of its commit. After a crash, the server may resend
    // transactions that were already confirmed. PostgreSQL 14 and older also send transactions
    // without row changes (I, U, D, T), such as readCurrentPosition's or autovacuum's.
    const [row] = await readRows<{ n: string }>(
      client,
      `SELECT count(*)::text AS n FROM (SELECT FROM pg_logical_slot_peek_binary_changes($1, NULL, NULL, 'proto_version', '1', 'publication_names', $2) GROUP BY xid::text
         HAVING bool_or(get_byte(data, 0) = 66 AND encode(substring(data FROM 2 FOR 8), 'hex') >= $3) AND bool_or(get_byte(data, 0) IN (73, 85, 68, 84))) AS pending`,
      [SLOT_NAME, SLOT_NAME, parseLsn(position).toString(16).padStart(16, "0")],
    );
    return Number(row!.n);
  });
}

/**
 * Returns an LSN after everything committed so far, and flushes the WAL, so that replication up to
 * it ends.
 */
export async function readCurrentPosition(url: string): Promise<string> {
  return withSource(url, async (client) => {
    const [row] = await readRows<{ lsn: string }>(
      client,
      "SELECT pg_current_wal_insert_lsn()::text AS lsn",
    );
    // Our own synchronous commit flushes the WAL, including earlier asynchronous commits.
    await readRows(client, "SET synchronous_commit = 'local'");
    await readRows(client, "SELECT pg_logical_emit_message(true, 'lectern migration', '')::text");
    return row!.lsn;
  });
}

/** Returns false if a connection has taken the slot in the meantime. */
async function dropInactiveSlot(client: pg.Client): Promise<boolean> {
  try {
    await readRows(client, "SELECT pg_drop_replication_slot($1)::text AS done", [SLOT_NAME]);
    return true;
  } catch (error) {
    if (error instanceof SourceError && error.sqlState === OBJECT_IN_USE) return false;
    throw error;
  }
}

/**
 * Drops slot and publication. Returns whether there was one. With `force` (default), terminates a
 * connection that uses the slot. Throws AppError: conflict if it is in use without `force`,
 * unavailable if the connection does not end.
 */
export async function dropSlot(
  url: string,
  { force = true }: { force?: boolean } = {},
): Promise<boolean> {
  return withSource(url, async (client) => {
    const deadlineMs = performance.now() + DROP_TIMEOUT_MS;
    let hasDropped = false;
    for (let slot = await findSlot(client); slot; slot = await findSlot(client)) {
      hasDropped = slot.pid === null && (await dropInactiveSlot(client));
      if (hasDropped) break;
      if (slot.pid !== null && !force)
        throw new AppError(
          "conflict",
          `The slot "${SLOT_NAME}" is in use by a migration to another file (PostgreSQL process ${slot.pid}). Stop that migration, or run abort with its --to.`,
        );
      if (performance.now() > deadlineMs)
        throw new AppError(
          "unavailable",
          `The slot "${SLOT_NAME}" is in use by another process${slot.pid === null ? "" : ` (${slot.pid})`}. Stop it, then try again.`,
        );
      if (slot.pid !== null)
        await readRows(client, "SELECT pg_terminate_backend($1::int)::text AS done", [slot.pid]);
      await sleep(POLL_MS);
    }
    const publications = await readRows(
      client,
      "SELECT pubname::text FROM pg_publication WHERE pubname = $1",
      [SLOT_NAME],
    );
    if (publications.length > 0) await readRows(client, `DROP PUBLICATION ${SLOT_NAME}`);
    return hasDropped || publications.length > 0;
  });
}
