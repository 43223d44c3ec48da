// Follows the write-ahead log of a plain database file, and builds one LTX file per second from
// what was committed. It always holds a read transaction, so SQLite restarts the log at most once
// between reads, and only after all of it was read
// (docs/decisions/044-backups-are-ltx-in-object-storage.md).

import { closeSync, openSync, statSync } from "node:fs";
import Database from "better-sqlite3";
import { isBusy } from "#lib/core/sqlite-error.ts";
import {
  type ChangeSource,
  MAX_TRANSACTION_BYTES,
  PostponedError,
  SEGMENT_BYTES,
} from "./change-source.ts";
import { DatabaseChecksum, type Uint64, checksumPage } from "./crc64.ts";
import type { Position } from "#lib/replication/litefs-node-state.ts";
import { type LtxFile, encodeLtx, lockPageNumber, parseLtx } from "./ltx.ts";
import { checksumFile, checksumPages } from "./database-checksum.ts";
import type { FrozenDatabase } from "./snapshot.ts";
import { readFrames, readWalIndex } from "./wal-index.ts";

/** How long this process and the site's writes wait for each other's lock. */
const BUSY_TIMEOUT_MS = 5_000;
/** SQLite's own threshold. Under steady writes, a pinned log would never shrink. */
const CHECKPOINT_FRAMES = 1_000;
const POLL_INTERVAL_MS = 1_000;
/**
 * What is kept in memory while the object store is down. Above this, only a snapshot can continue.
 */
const MAX_PENDING_BYTES = MAX_TRANSACTION_BYTES;

interface PageChecksums {
  readonly high: Uint32Array;
  readonly low: Uint32Array;
}

export class WalSource implements ChangeSource {
  readonly #file: string;
  readonly #inode: number;
  /**
   * The database and its WAL index. Closing a file drops all locks of this process on it, so they
   * stay open as long as the connections do.
   */
  readonly #databaseFd: number;
  readonly #indexFd: number;
  readonly #control: Database.Database;
  readonly #checkpointer: Database.Database;
  #pin: Database.Database;
  #pageSize = 0;
  #pageCount = 0;
  #frame = 0;
  #salts = "";
  #pages: PageChecksums = { high: new Uint32Array(0), low: new Uint32Array(0) };
  #checksum = new DatabaseChecksum();
  #txid = 1;
  #pending: LtxFile[] = [];
  #pendingBytes = 0;
  #timer: NodeJS.Timeout | null = null;
  #error: Error | null = null;

  /** Opens `file`, which must exist in WAL mode, and reads all of it once. */
  constructor(file: string) {
    this.#file = file;
    this.#inode = statSync(file).ino;
    this.#control = this.#connect();
    this.#checkpointer = this.#connect();
    this.#pageSize = Number(this.#control.pragma("page_size", { simple: true }));
    this.#pin = this.#openPin();
    this.#databaseFd = openSync(file, "r");
    this.#indexFd = openSync(`${file}-shm`, "r");
    try {
      this.#initialize();
    } catch (error) {
      // The pin would block checkpoints, so no later source could start.
      this.close();
      throw error;
    }
  }

  /** Starts collecting transactions once a second. */
  start(): void {
    this.#timer ??= setInterval(() => {
      try {
        this.poll();
      } catch (error) {
        this.#error = error as Error;
      }
    }, POLL_INTERVAL_MS);
  }

  get position(): Position {
    return { txid: this.#txid, checksum: this.#checksum.toString() };
  }

  /** Collects what was committed since the last call as one transaction. */
  poll(): void {
    if (statSync(this.#file, { throwIfNoEntry: false })?.ino !== this.#inode)
      throw new Error(`${this.#file} was replaced`);
    // Both read transactions overlap, so that the log is pinned at every moment.
    const next = this.#openPin();
    try {
      this.#collect();
    } finally {
      this.#pin.close();
      this.#pin = next;
    }
    if (this.#frame > CHECKPOINT_FRAMES) this.#checkpoint()?.close();
  }

  readChanges(position: Position): Promise<LtxFile[] | null> {
    if (this.#error) return Promise.reject(this.#error);
    // A restarted process continues the numbers in the object store.
    if (this.#pending.length === 0 && position.checksum === this.position.checksum)
      this.#txid = position.txid;
    this.poll();
    const next = this.#pending.findIndex(({ minTxid }) => minTxid === position.txid + 1);
    if (next < 0) {
      const { txid, checksum } = this.position;
      if (txid !== position.txid || checksum !== position.checksum) return Promise.resolve(null);
      this.#dropPending();
      return Promise.resolve([]);
    }
    if (this.#pending[next]!.checksumBefore !== position.checksum) return Promise.resolve(null);
    for (const file of this.#pending.splice(0, next)) this.#pendingBytes -= file.bytes.length;
    let bytes = 0;
    return Promise.resolve(
      this.#pending.filter((file, i) => (bytes += file.bytes.length) <= SEGMENT_BYTES || i === 0),
    );
  }

  freeze(): Promise<FrozenDatabase> {
    const pin = this.#checkpoint();
    if (!pin) throw new PostponedError("Another process keeps the log from being checkpointed");
    const fd = this.#databaseFd;
    const release = () => void pin.close();
    const bytes = this.#pageCount * this.#pageSize;
    // Verifies the running checksum of all transactions with a pass over the file.
    if (checksumFile(fd, this.#pageSize, bytes) !== this.position.checksum) {
      release();
      this.#error = new Error(`${this.#file} does not have the checksum of its transactions`);
      return Promise.reject(this.#error);
    }
    return Promise.resolve({
      fd,
      bytes,
      pageSize: this.#pageSize,
      position: this.position,
      timeMs: Date.now(),
      release,
    });
  }

  assertPrimary(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    if (this.#timer) clearInterval(this.#timer);
    for (const db of [this.#pin, this.#control, this.#checkpointer]) db.close();
    closeSync(this.#databaseFd);
    closeSync(this.#indexFd);
  }

  #connect(): Database.Database {
    const db = new Database(this.#file, { timeout: BUSY_TIMEOUT_MS, fileMustExist: true });
    if (db.pragma("journal_mode", { simple: true }) !== "wal") {
      db.close();
      throw new Error(`${this.#file} is not in WAL mode. Start the site once: it sets the mode.`);
    }
    db.pragma("wal_autocheckpoint = 0");
    return db;
  }

  /** Opens a read transaction on the current state. */
  #openPin(): Database.Database {
    const db = this.#connect();
    db.exec("BEGIN");
    db.prepare("SELECT count(*) FROM sqlite_schema").get();
    return db;
  }

  #initialize(): void {
    const pin = this.#checkpoint();
    if (!pin) throw new Error(`Another process keeps ${this.#file}-wal from being checkpointed`);
    this.#pageCount = Number(pin.pragma("page_count", { simple: true }));
    this.#resize(this.#pageCount);
    const bytes = this.#pageCount * this.#pageSize;
    checksumPages(this.#databaseFd, this.#pageSize, bytes, (pageNumber, checksum) =>
      this.#setPage(pageNumber, checksum),
    );
    pin.close();
  }

  /**
   * Copies the whole log into the file while no one can write. Returns a read transaction that
   * keeps the file as it is; null if another reader or writer prevents it.
   */
  #checkpoint(): Database.Database | null {
    try {
      this.#control.exec("BEGIN IMMEDIATE");
    } catch (error) {
      if (isBusy(error)) return null;
      throw error;
    }
    try {
      this.#collect();
      const next = this.#openPin();
      this.#pin.close();
      this.#pin = next;
      const [result] = this.#checkpointer.pragma("wal_checkpoint(PASSIVE)") as {
        log: number;
        checkpointed: number;
      }[];
      if (!result || result.log !== result.checkpointed) return null;
      const frozen = this.#openPin();
      // The next write restarts the log, unless the old pin is still held.
      this.#pin.close();
      this.#pin = this.#openPin();
      return frozen;
    } finally {
      this.#control.exec("ROLLBACK");
    }
  }

  /** Builds one LTX file from the frames that were committed since the last call. */
  #collect(): void {
    const index = readWalIndex(this.#indexFd);
    if (!index) return;
    if (index.salts !== this.#salts) {
      this.#salts = index.salts;
      this.#frame = 0;
    }
    if (this.#pageCount === 0) {
      // Before the first pass over the file, the frames are part of the starting state.
      this.#frame = index.lastFrame;
      return;
    }
    if (index.lastFrame === this.#frame) return;
    const pages = readFrames(
      this.#file,
      { salts: this.#salts, pageSize: this.#pageSize },
      this.#frame,
      index.lastFrame,
    );
    this.#frame = index.lastFrame;
    this.#append(pages, index.pageCount);
  }

  #append(pages: Map<number, Buffer>, pageCount: number): void {
    const before = this.position;
    pages.delete(lockPageNumber(this.#pageSize));
    for (const pageNumber of [...pages.keys()])
      if (pageNumber > pageCount) pages.delete(pageNumber);
    this.#resize(pageCount);
    for (const [pageNumber, page] of pages)
      this.#setPage(pageNumber, checksumPage(pageNumber, page));
    this.#txid += 1;
    const header = {
      pageSize: this.#pageSize,
      pageCount,
      minTxid: this.#txid,
      maxTxid: this.#txid,
      timeMs: Date.now(),
      checksumBefore: before.checksum,
    };
    const file = parseLtx(encodeLtx(header, pages, this.position.checksum));
    this.#pending.push(file);
    this.#pendingBytes += file.bytes.length;
    if (this.#pendingBytes > MAX_PENDING_BYTES) this.#dropPending();
  }

  #dropPending(): void {
    this.#pending = [];
    this.#pendingBytes = 0;
  }

  #setPage(pageNumber: number, { high, low }: Uint64): void {
    const i = pageNumber - 1;
    this.#checksum.toggle({ high: this.#pages.high[i]!, low: this.#pages.low[i]! });
    this.#pages.high[i] = high;
    this.#pages.low[i] = low;
    this.#checksum.toggle({ high, low });
  }

  #resize(pageCount: number): void {
    for (let pageNumber = pageCount + 1; pageNumber <= this.#pageCount; pageNumber += 1)
      this.#setPage(pageNumber, { high: 0, low: 0 });
    if (pageCount > this.#pages.high.length) {
      const length = Math.max(pageCount, Math.ceil(this.#pages.high.length * 1.5));
      const grow = (old: Uint32Array) => {
        const larger = new Uint32Array(length);
        larger.set(old);
        return larger;
      };
      this.#pages = { high: grow(this.#pages.high), low: grow(this.#pages.low) };
    }
    this.#pageCount = pageCount;
  }
}
