// Reads transactions from LiteFS's store, where it keeps each as an LTX file for ten minutes
// (retention in litefs.yml), and copies the database through its export.

import {
  closeSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { createFolder } from "#lib/core/create-folder.ts";
import { fetchLitefsNodeState } from "#lib/replication/litefs-node-state.ts";
import {
  type ChangeSource,
  MAX_TRANSACTION_BYTES,
  NotPrimaryError,
  SEGMENT_BYTES,
} from "./change-source.ts";
import { assertFreeSpace } from "./free-space.ts";
import type { Position } from "#lib/replication/litefs-node-state.ts";
import { type LtxFile, parseLtx } from "./ltx.ts";
import { checksumFile } from "./database-checksum.ts";
import type { FrozenDatabase } from "./snapshot.ts";

/** At 10 MB/s, a database of 6 GB. */
const EXPORT_TIMEOUT_MS = 600_000;

export interface LitefsSourceOptions {
  readonly url: string;
  /** LITEFS_DATA_DIR. */
  readonly storeDir: string;
  /** The name of the database, such as lectern.db. */
  readonly name: string;
  /** Where the export is written. It needs as much space as the database. */
  readonly scratchFile: string;
}

export function openLitefsSource(options: LitefsSourceOptions): ChangeSource {
  const { url, storeDir, name } = options;
  const ltxDir = join(storeDir, "dbs", name, "ltx");

  /** Returns the LTX files that contain transactions after `txid`, in order. */
  const listLtx = (txid: number) =>
    readdirSync(ltxDir)
      .flatMap((file) => {
        const [, min, max] = /^([0-9a-f]{16})-([0-9a-f]{16})\.ltx$/.exec(file) ?? [];
        const range = {
          path: join(ltxDir, file),
          min: parseInt(min!, 16),
          max: parseInt(max!, 16),
        };
        return max && range.max > txid ? [range] : [];
      })
      .sort((a, b) => a.min - b.min);

  async function readPosition(): Promise<Position> {
    const { isPrimary, position } = await fetchLitefsNodeState(url, name);
    if (!isPrimary) throw new NotPrimaryError("This instance is not the primary");
    if (!position) throw new Error("LiteFS has no database yet");
    return position;
  }

  /** Returns the position of an export that was made between two known positions. */
  function findPosition(before: Position, after: Position, checksum: string): Position {
    for (const { path } of [...listLtx(before.txid)].filter(({ max }) => max <= after.txid)) {
      const file = parseLtx(readFileSync(path));
      if (file.checksumAfter === checksum) return { txid: file.maxTxid, checksum };
    }
    if (before.checksum === checksum) return before;
    throw new Error("LiteFS's export has the checksum of no transaction");
  }

  return {
    async readChanges(position) {
      const files: LtxFile[] = [];
      let bytes = 0;
      let { txid, checksum } = position;
      for (const { path, min } of listLtx(position.txid)) {
        const size = statSync(path, { throwIfNoEntry: false })?.size;
        // LiteFS has deleted it in the meantime.
        if (size === undefined || size > MAX_TRANSACTION_BYTES)
          return files.length > 0 ? files : null;
        if (bytes + size > SEGMENT_BYTES && files.length > 0) return files;
        const file = parseLtx(readFileSync(path));
        if (min !== txid + 1 || file.checksumBefore !== checksum)
          return files.length > 0 ? files : null;
        ({ maxTxid: txid, checksumAfter: checksum } = file);
        files.push(file);
        bytes += size;
      }
      if (files.length > 0) return files;
      const current = await readPosition();
      // A transaction that was added since the listing is read next time.
      if (current.txid > txid) return listLtx(position.txid).length > 0 ? [] : null;
      return current.txid === txid && current.checksum === checksum ? [] : null;
    },
    async freeze(): Promise<FrozenDatabase> {
      const { scratchFile } = options;
      createFolder(dirname(scratchFile));
      assertFreeSpace(dirname(scratchFile), statSync(join(storeDir, "dbs", name, "database")).size);
      const before = await readPosition();
      const response = await fetch(`${url}/export?name=${encodeURIComponent(name)}`, {
        signal: AbortSignal.timeout(EXPORT_TIMEOUT_MS),
      });
      if (!response.ok || !response.body)
        throw new Error(`LiteFS responded with ${response.status} to the export`);
      const fd = openSync(scratchFile, "w+", 0o600);
      // Unlinked now, so that the kernel frees its space even if this process is killed.
      rmSync(scratchFile);
      const release = () => closeSync(fd);
      try {
        for await (const chunk of response.body) writeFileSync(fd, chunk as Uint8Array);
        const after = await readPosition();
        const { size: bytes } = fstatSync(fd);
        // LiteFS requires pages of this size.
        const pageSize = 4096;
        const position = findPosition(before, after, checksumFile(fd, pageSize, bytes));
        return { fd, bytes, pageSize, position, timeMs: Date.now(), release };
      } catch (error) {
        release();
        throw error;
      }
    },
    async assertPrimary() {
      await readPosition();
    },
    close() {},
  };
}
