// Reads the role and position of a node's LiteFS.

import type { Agent } from "node:http";
import { requestInternal } from "#lib/core/internal-request.ts";

export interface Position {
  /**
   * The newest transaction; 0 before the first. Increments by one, and restarts at 1 after a
   * restore.
   */
  readonly txid: number;
  /** Checksum of the whole database at that transaction: 16 hex digits. */
  readonly checksum: string;
}

/** The position before the first transaction. */
export const NO_POSITION: Position = { txid: 0, checksum: "" };

/** Returns `txid` as LiteFS writes it in the names of LTX files: 16 hex digits. */
export const formatTxid = (txid: number): string => txid.toString(16).padStart(16, "0");

export interface LitefsNodeState {
  readonly isPrimary: boolean;
  readonly isCandidate: boolean;
  /** null if the node has no such database. */
  readonly position: Position | null;
}

/**
 * Reads /debug/vars of the LiteFS at `url`, the only endpoint with both. `agent` reuses connections.
 * Rejects if LiteFS does not respond or has no store yet.
 */
export async function fetchLitefsNodeState(
  url: string,
  database: string,
  { timeoutMs = 2_000, agent }: { timeoutMs?: number; agent?: Agent } = {},
): Promise<LitefsNodeState> {
  const { status, body } = await requestInternal(`${url}/debug/vars`, { timeoutMs, agent });
  if (status !== 200) throw new Error(`LiteFS responded with ${status} to GET /debug/vars`);
  const { store } = JSON.parse(body) as {
    store?: {
      isPrimary: boolean;
      candidate: boolean;
      dbs: Record<string, { txid: string; checksum: string }>;
    };
  };
  if (!store) throw new Error("LiteFS has not opened its store yet");
  const stored = store.dbs[database];
  const txid = stored ? Number.parseInt(stored.txid, 16) : 0;
  return {
    isPrimary: store.isPrimary,
    isCandidate: store.candidate,
    position: stored && txid > 0 ? { txid, checksum: stored.checksum } : null,
  };
}
