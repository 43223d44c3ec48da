// What a move makes in the source: a publication of its tables, and a slot that keeps what is written from a snapshot on.

import { setTimeout as sleep } from "node:timers/promises";
import { withTimeout } from "#lib/core/with-timeout.ts";
import { AppError } from "#lib/core/errors.ts";
import { SLOT_NAME, type TableMapping, qualifiedSourceName } from "./table-mapping.ts";
import { parseLsn } from "./pgoutput.ts";
import { connectSource, closeSource, readRows } from "./source-connection.ts";

/** A slot begins when every transaction that was open has ended: one that stays open for longer is somebody's mistake. */
const CREATE_TIMEOUT_MS = 120_000;
/** How long a connection that uses the slot may take to go. */
const DROP_TIMEOUT_MS = 20_000;
const POLL_MS = 100;

export interface ExportedSnapshot {
  /** Its name, for SET TRANSACTION SNAPSHOT, until it is released. */
  readonly name: string;
  /** Where it is in the log: it sees the transactions whose commit stands before, and no other. */
  readonly position: string;
  /** Must be called; who began to read the snapshot before goes on. */
  release(): Promise<void>;
}

/** Tables whose changes are streamed: those without a key can't be followed, and a publication would stop their updates in the source. */
export function listStreamedTables(tables: readonly TableMapping[]): TableMapping[] {
  return tables.filter(({ key }) => key.length > 0);
}

/**
 * Makes publication and slot. Throws AppError(conflict) where there is one already, AppError(forbidden) where the role may not, and
 * AppError(unavailable) when a transaction stays open for two minutes; nothing of it is left then.
 */
export async function createSlotAndPublication(
  url: string,
  tables: readonly TableMapping[],
  signal?: AbortSignal,
): Promise<ExportedSnapshot> {
  const client = await connectSource(url);
  try {
    const [found] = await readRows<{ n: string }>(
      client,
      "SELECT ((SELECT count(*) FROM pg_replication_slots WHERE slot_name = $1) + (SELECT count(*) FROM pg_publication WHERE pubname = $1))::text AS n",
      [SLOT_NAME],
    );
    if (found!.n !== "0")
      throw new AppError(
        "conflict",
        `The source has a slot or a publication "${SLOT_NAME}" already, of a move that was not ended. abort removes it.`,
      );
    const names = [...new Set(listStreamedTables(tables).map(qualifiedSourceName))];
    const [version] = await readRows<{ n: string }>(
      client,
      "SELECT current_setting('server_version_num') AS n",
    );
    // Partitions then come under the name of their table.
    const viaRoot =
      Number(version!.n) >= 130_000 ? " WITH (publish_via_partition_root = true)" : "";
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
  } finally {
    await closeSource(client);
  }
}

/** The present state and where it is in the log; nothing is left of it once it is released. Throws as makeSlot does. */
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
  what: string,
  signal?: AbortSignal,
): Promise<ExportedSnapshot> {
  signal?.throwIfAborted();
  const client = await connectSource(url, { replication: true });
  const end = () => void closeSource(client);
  signal?.addEventListener("abort", end);
  try {
    const [row] = await withTimeout(
      readRows<{ consistent_point: string; snapshot_name: string }>(
        client,
        `CREATE_REPLICATION_SLOT ${what}`,
      ),
      CREATE_TIMEOUT_MS,
      `The source has a transaction that has been open for ${CREATE_TIMEOUT_MS / 1000} seconds: a slot can't begin before it ends. See pg_stat_activity, xact_start.`,
      end,
    );
    return {
      name: row!.snapshot_name,
      position: row!.consistent_point,
      release: () => closeSource(client),
    };
  } catch (error) {
    end();
    throw error;
  } finally {
    signal?.removeEventListener("abort", end);
  }
}

/** Whether the move's slot is there. */
export async function hasSlot(url: string): Promise<boolean> {
  const client = await connectSource(url);
  try {
    const [row] = await readRows<{ n: string }>(
      client,
      "SELECT count(*)::text AS n FROM pg_replication_slots WHERE slot_name = $1 AND database = current_database()",
      [SLOT_NAME],
    );
    return row!.n !== "0";
  } finally {
    await closeSource(client);
  }
}

/** How many transactions the slot holds whose commit stands at `position` or behind; changes nothing. */
export async function countPendingTransactions(url: string, position: string): Promise<number> {
  const client = await connectSource(url);
  try {
    // A message "B" begins one, and holds the place of its commit. A server that crashed may have forgotten what it was told is taken over.
    const [row] = await readRows<{ n: string }>(
      client,
      `SELECT count(*)::text AS n FROM pg_logical_slot_peek_binary_changes($1, NULL, NULL, 'proto_version', '1', 'publication_names', $2) WHERE get_byte(data, 0) = 66 AND encode(substring(data FROM 2 FOR 8), 'hex') >= $3`,
      [SLOT_NAME, SLOT_NAME, parseLsn(position).toString(16).padStart(16, "0")],
    );
    return Number(row!.n);
  } finally {
    await closeSource(client);
  }
}

/**
 * Removes slot and publication; `force`: also under somebody who uses the slot just now. Returns whether there was one. Throws AppError(unavailable) where a
 * connection to it does not end.
 */
export async function dropSlot(
  url: string,
  { force = true }: { force?: boolean } = {},
): Promise<boolean> {
  const client = await connectSource(url);
  try {
    const untilMs = performance.now() + DROP_TIMEOUT_MS;
    let hasDropped = false;
    for (;;) {
      const [slot] = await readRows<{ pid: string | null }>(
        client,
        "SELECT active_pid::text AS pid FROM pg_replication_slots WHERE slot_name = $1 AND database = current_database()",
        [SLOT_NAME],
      );
      if (!slot) break;
      if (slot.pid === null) {
        await readRows(client, "SELECT pg_drop_replication_slot($1)::text AS done", [SLOT_NAME]);
        hasDropped = true;
        break;
      }
      if (!force)
        throw new AppError(
          "conflict",
          `Somebody follows with the slot "${SLOT_NAME}" just now (process ${slot.pid} of PostgreSQL), for a move to another file than this one. Stop that, or give abort the --to of that move.`,
        );
      if (performance.now() > untilMs)
        throw new AppError(
          "unavailable",
          `The slot "${SLOT_NAME}" is in use by another process (${slot.pid}). Stop it, and try again.`,
        );
      await readRows(client, "SELECT pg_terminate_backend($1::int)::text AS done", [slot.pid]);
      await sleep(POLL_MS);
    }
    const [publication] = await readRows<{ n: string }>(
      client,
      "SELECT count(*)::text AS n FROM pg_publication WHERE pubname = $1",
      [SLOT_NAME],
    );
    if (publication!.n !== "0") await readRows(client, `DROP PUBLICATION ${SLOT_NAME}`);
    return hasDropped || publication!.n !== "0";
  } finally {
    await closeSource(client);
  }
}
