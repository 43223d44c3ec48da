// Copies the tables of one snapshot into the staging database: COPY on this thread, SQLite in a
// worker.

import { Worker } from "node:worker_threads";
import type pg from "pg";
import { to as copyTo } from "pg-copy-streams";
import { AppError } from "#lib/core/errors.ts";
import { copyToSql } from "./binary-copy-reader.ts";
import type { LoadOptions, LoadReply, LoadRequest } from "./load-rows.worker.ts";
import type { MigrationOptions } from "./options.ts";
import { toSourceError } from "./source-connection.ts";
import type { TableMapping } from "./table-mapping.ts";

const CHUNK_BYTES = 1_048_576;
/** Backpressure: when this many chunks wait for the worker, reading from the source pauses. */
const BUFFER_COUNT = 5;
/** Sorting five million rows takes about ten seconds before the first byte. */
const SILENCE_TIMEOUT_MS = 120_000;

export interface CopyOptions {
  /** Must be in a transaction with a fixed snapshot. */
  readonly source: pg.Client;
  readonly tables: readonly TableMapping[];
  readonly options: MigrationOptions;
  /** From createStagingDatabase; incomplete if this throws. */
  readonly file: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { table: string; rows: number }) => void;
}

/**
 * Copies the tables in order, then quarantines rows with a broken foreign key. Throws
 * AppError(conflict) with table and key for an invalid row without `invalidRows: "quarantine"`,
 * AppError(unavailable) if the source is lost or the disk is full.
 */
export async function copyTables({
  source,
  tables,
  options,
  file,
  signal,
  onProgress,
}: CopyOptions): Promise<void> {
  const loader = startLoader({ file, options });
  try {
    const ends: Promise<void>[] = [];
    for (const table of tables) {
      // The next table is read while the worker still loads this one. Errors surface in the `end`
      // request.
      loader.request({ kind: "table", table }).catch(() => {});
      await streamTable(source, table, loader, signal, (rows) =>
        onProgress?.({ table: table.target, rows }),
      );
      const end = loader.request({ kind: "end" }).then(({ rows }) => {
        onProgress?.({ table: table.target, rows });
      });
      end.catch(() => {});
      ends.push(end);
    }
    await Promise.all(ends);
    await loader.request({ kind: "orphans", tables });
    await loader.request({ kind: "close" });
  } finally {
    await loader.terminate();
  }
}

/** An internal error of the worker thread. */
class LoaderError extends Error {}

interface Loader {
  /** Resolves with the worker's reply; replies come in the order of the requests. */
  request(request: LoadRequest): Promise<{ rows: number }>;
  /** Waits for a buffer that the worker has finished reading. A `chunk` request gives it back. */
  acquireBuffer(): Promise<{ bufferIndex: number; bytes: Buffer }>;
  terminate(): Promise<void>;
}

function startLoader({ file, options }: Omit<LoadOptions, "buffers">): Loader {
  const shared = Array.from({ length: BUFFER_COUNT }, () => new SharedArrayBuffer(CHUNK_BYTES));
  const buffers = shared.map((buffer) => Buffer.from(buffer));
  const worker = new Worker(new URL("./load-rows.worker.ts", import.meta.url), {
    workerData: { file, options, buffers: shared } satisfies LoadOptions,
    resourceLimits: { maxYoungGenerationSizeMb: 16 },
  });
  const pending: { resolve(reply: { rows: number }): void; reject(error: unknown): void }[] = [];
  /** For each buffer, settles when the worker has read it. */
  const released: Promise<unknown>[] = shared.map(() => Promise.resolve());
  let nextBuffer = 0;
  let failure: unknown;
  const fail = (error: unknown) => {
    failure ??= error;
    for (const { reject } of pending.splice(0)) reject(failure);
  };
  worker.on("message", (reply: LoadReply) => {
    if (reply.kind === "failed") fail(toLoadError(reply));
    else pending.shift()?.resolve(reply);
  });
  worker.on("error", (error) => fail(new LoaderError(error.message, { cause: error })));
  worker.on("exit", () => fail(new LoaderError("The worker thread exited.")));
  return {
    request(request) {
      if (failure) return Promise.reject(failure);
      const reply = new Promise<{ rows: number }>((resolve, reject) => {
        pending.push({ resolve, reject });
        worker.postMessage(request);
      });
      if (request.kind === "chunk") released[request.bufferIndex] = reply;
      return reply;
    },
    async acquireBuffer() {
      const bufferIndex = nextBuffer;
      nextBuffer = (nextBuffer + 1) % BUFFER_COUNT;
      await released[bufferIndex];
      return { bufferIndex, bytes: buffers[bufferIndex]! };
    },
    async terminate() {
      failure ??= new LoaderError("The worker thread was terminated.");
      await worker.terminate();
    },
  };
}

function toLoadError({ message, isReportable }: LoadReply & { kind: "failed" }): Error {
  if (!isReportable) return new LoaderError(message);
  return /disk is full|SQLITE_FULL/i.test(message)
    ? new AppError("unavailable", "The disk is full. Free space, then resume.")
    : new AppError("conflict", message);
}

async function streamTable(
  source: pg.Client,
  table: TableMapping,
  loader: Loader,
  signal: AbortSignal | undefined,
  onRows: (rows: number) => void,
): Promise<void> {
  const stream = source.query(copyTo(copyToSql(table)));
  const stopWith = (message: string) => () => stream.destroy(new AppError("unavailable", message));
  const onAbort = stopWith("The copy was stopped.");
  // pg does not always report a lost connection to a COPY stream.
  const onEnd = stopWith("The connection to PostgreSQL was lost.");
  const onSilence = stopWith(
    `PostgreSQL has sent nothing for ${SILENCE_TIMEOUT_MS / 1000} seconds.`,
  );
  signal?.addEventListener("abort", onAbort);
  source.once("end", onEnd);
  const silenceTimer = setTimeout(onSilence, SILENCE_TIMEOUT_MS);
  let buffer: Awaited<ReturnType<Loader["acquireBuffer"]>> | null = null;
  let filledBytes = 0;
  const flush = () => {
    if (buffer === null || filledBytes === 0) return;
    loader
      .request({ kind: "chunk", bufferIndex: buffer.bufferIndex, length: filledBytes })
      .then(({ rows }) => onRows(rows))
      .catch(() => {});
    buffer = null;
    filledBytes = 0;
  };
  try {
    for await (const piece of stream as AsyncIterable<Buffer>) {
      silenceTimer.refresh();
      for (let offset = 0; offset < piece.length;) {
        buffer ??= await loader.acquireBuffer();
        const size = Math.min(piece.length - offset, CHUNK_BYTES - filledBytes);
        piece.copy(buffer.bytes, filledBytes, offset, offset + size);
        filledBytes += size;
        offset += size;
        if (filledBytes === CHUNK_BYTES) flush();
      }
    }
    flush();
  } catch (error) {
    throw error instanceof LoaderError ? error : toSourceError(error);
  } finally {
    clearTimeout(silenceTimer);
    signal?.removeEventListener("abort", onAbort);
    source.off("end", onEnd);
  }
}
