// Defines the interface to the backup's source of transactions.

import type { Position } from "#lib/replication/litefs-node-state.ts";
import type { LtxFile } from "./ltx.ts";
import type { FrozenDatabase } from "./snapshot.ts";

/** Thrown if this process may not write to the object store, because it is not the primary. */
export class NotPrimaryError extends Error {}

/** Thrown if a later attempt may succeed. The source keeps its transactions. */
export class PostponedError extends Error {}

export interface ChangeSource {
  /**
   * Returns the next transactions after `position`, oldest first, together at most about
   * SEGMENT_BYTES; empty if there are none. Returns null if `position` is not in this database's
   * history, or if later transactions are gone; then only a snapshot can continue.
   */
  readChanges(position: Position): Promise<LtxFile[] | null>;
  /** Freezes the current state until it is released. Throws PostponedError if it can't do so now. */
  freeze(): Promise<FrozenDatabase>;
  /** Throws NotPrimaryError unless this instance is the primary now. */
  assertPrimary(): Promise<void>;
  close(): void;
}

export const SEGMENT_BYTES = 16 * 1_048_576;
/** A larger transaction, such as an import, is stored as a snapshot, which is uploaded in parts. */
export const MAX_TRANSACTION_BYTES = 64 * 1_048_576;
