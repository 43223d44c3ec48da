// What the nodes' LiteFS say of themselves.

import { requestInternal } from "#lib/core/internal-request.ts";

export interface LitefsNodeState {
  readonly isPrimary: boolean;
  readonly isCandidate: boolean;
  /** Number of the newest transaction, and the checksum of the whole database there; null without the database. */
  readonly position: { readonly txid: number; readonly checksum: string } | null;
}

/** Role and position of the LiteFS at `url` (its /debug/vars, the only place that gives both). Rejects when it does not answer. */
export async function fetchLitefsNodeState(
  url: string,
  database: string,
  timeoutMs = 2_000,
): Promise<LitefsNodeState> {
  const { status, body } = await requestInternal(`${url}/debug/vars`, { timeoutMs });
  if (status !== 200) throw new Error(`LiteFS answered ${status} to GET /debug/vars`);
  const { store } = JSON.parse(body) as {
    store?: {
      isPrimary: boolean;
      candidate: boolean;
      dbs: Record<string, { txid: string; checksum: string }>;
    };
  };
  if (!store) throw new Error("LiteFS has not opened its store yet");
  const known = store.dbs[database];
  const txid = known ? Number.parseInt(known.txid, 16) : 0;
  return {
    isPrimary: store.isPrimary,
    isCandidate: store.candidate,
    position: known && txid > 0 ? { txid, checksum: known.checksum } : null,
  };
}
